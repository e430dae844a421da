// The peer go-net-rpc: takes the same arguments as `compare serve` and `compare load`, and prints the same.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
)

const (
	name      = "caller-1"
	blobBytes = 64 << 20
)

// Message is what is echoed.
type Message struct {
	ID      uint64
	Name    string
	Payload []byte
}

// Echoing is the service.
type Echoing struct{ blob []byte }

// Echo answers with its argument.
func (*Echoing) Echo(message *Message, reply *Message) error {
	*reply = *message
	return nil
}

// Blob answers with a large message.
func (e *Echoing) Blob(_ int, reply *Message) error {
	reply.Payload = e.blob
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: go-net-rpc serve|load PEER …"))
	}
	if os.Args[1] == "serve" {
		fail(serve())
	}
	var t target
	work := os.Args[3]
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	flags.Bool("one-cpu", false, "the parent has seen to it")
	flags.IntVar(&t.port, "port", 0, "")
	flags.IntVar(&t.server, "server", 0, "")
	flags.IntVar(&t.warmUpMs, "warm-up-ms", 0, "")
	flags.IntVar(&t.measuredMs, "measured-ms", 0, "")
	flags.IntVar(&t.patienceMs, "patience-ms", 0, "")
	if err := flags.Parse(os.Args[4:]); err != nil {
		fail(err)
	}
	if err := load(work, t); err != nil {
		fail(err)
	}
}

func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(&Echoing{blob: body(blobBytes)}); err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		// It ends with the parent, however that ends.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	server.Accept(listener)
	return fmt.Errorf("the listener ended")
}

func body(bytes int) []byte {
	body := make([]byte, bytes)
	for i := range body {
		body[i] = byte(i)
	}
	return body
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "Error:", err)
	os.Exit(1)
}
