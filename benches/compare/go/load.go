package main

import (
	"encoding/json"
	"fmt"
	"net/rpc"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// How often a small call of W10 is due.
const pace = time.Millisecond

type target struct {
	port, server, warmUpMs, measuredMs, patienceMs int
}

type sample struct {
	Work   string  `json:"work"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func load(work string, t target) error {
	go func() {
		time.Sleep(ms(t.warmUpMs + t.measuredMs + 4*t.patienceMs))
		fail(fmt.Errorf("hung"))
	}()
	samples, err := run(work, t)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(samples)
}

func run(work string, t target) ([]sample, error) {
	one := func(metric string, value float64) []sample { return []sample{{work, metric, value}} }
	switch work {
	case "W1", "W1c":
		client, err := connect(t)
		if err != nil {
			return nil, err
		}
		sorted, err := latencies(client, t)
		return append(append(one("p50_us", percentile(sorted, 0.5)), one("p99_us", percentile(sorted, 0.99))...),
			one("p999_us", percentile(sorted, 0.999))...), err
	case "W2":
		rate, err := unary(1, 64, 64, t, nil)
		return append(one("calls_per_s", rate.perSecond()),
			sample{"W9", "cpu_us_per_call", rate.cpu.Seconds() * 1e6 / float64(rate.count)}), err
	case "W3":
		rate, err := unary(1, 1024, 64, t, nil)
		return one("calls_per_s", rate.perSecond()), err
	case "W4":
		rate, err := unary(16, 16, 64, t, nil)
		return one("calls_per_s", rate.perSecond()), err
	case "W5":
		rate, err := unary(1, 16, 64<<10, t, nil)
		return one("mib_per_s", rate.perSecond()/16), err
	case "W6":
		rate, err := unary(1, 4, 4<<20, t, nil)
		return one("mib_per_s", rate.perSecond()*4), err
	case "W8":
		return idle(t)
	case "W10":
		return besideBlobs(t)
	}
	var connections, inFlight, bytes int
	if _, err := fmt.Sscanf(work, "%dx%dx%d", &connections, &inFlight, &bytes); err != nil {
		return nil, fmt.Errorf("net/rpc cannot do %s", work)
	}
	timed := &times{warmAt: time.Now().Add(ms(t.warmUpMs))}
	rate, err := unary(connections, inFlight, bytes, t, timed)
	samples := one("calls_per_s", rate.perSecond())
	if bytes > 0 {
		samples = append(samples, sample{work, "mib_per_s", rate.perSecond() * float64(bytes) / (1 << 20)})
	}
	if sorted := timed.sorted(); len(sorted) > 0 {
		samples = append(samples, sample{work, "p50_us", percentile(sorted, 0.5)})
	}
	return samples, err
}

func connect(t target) (*rpc.Client, error) {
	return rpc.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", t.port))
}

func call(client *rpc.Client, id uint64, payload []byte) error {
	var reply Message
	if err := client.Call("Echoing.Echo", &Message{id, name, payload}, &reply); err != nil {
		return err
	}
	if reply.ID != id || len(reply.Payload) != len(payload) {
		return fmt.Errorf("another call's reply")
	}
	return nil
}

func latencies(client *rpc.Client, t target) ([]int64, error) {
	taken := make([]int64, 0, 1<<20)
	payload := body(64)
	warmAt := time.Now().Add(ms(t.warmUpMs))
	end := warmAt.Add(ms(t.measuredMs))
	id := uint64(0)
	for now := time.Now(); now.Before(end); {
		id++
		if err := call(client, id, payload); err != nil {
			return nil, err
		}
		answeredAt := time.Now()
		if !now.Before(warmAt) {
			taken = append(taken, answeredAt.Sub(now).Nanoseconds())
		}
		now = answeredAt
	}
	sort.Slice(taken, func(a, b int) bool { return taken[a] < taken[b] })
	return taken, nil
}

// As latencies, but a call is due each millisecond, and waits from then on.
func pacedLatencies(client *rpc.Client, t target) ([]int64, error) {
	var taken []int64
	payload := body(64)
	due := time.Now().Add(ms(t.warmUpMs))
	end := due.Add(ms(t.measuredMs))
	for id := uint64(1); due.Before(end) && time.Now().Before(end); id++ {
		since := due
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
			// That the timer is late is not the peer's doing.
			since = time.Now()
		}
		if err := call(client, id, payload); err != nil {
			return nil, err
		}
		taken = append(taken, time.Since(since).Nanoseconds())
		due = due.Add(pace)
	}
	for ; due.Before(end); due = due.Add(pace) {
		taken = append(taken, end.Sub(due).Nanoseconds())
	}
	sort.Slice(taken, func(a, b int) bool { return taken[a] < taken[b] })
	return taken, nil
}

func percentile(sorted []int64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	index := int(float64(len(sorted))*share+0.999999) - 1
	if index < 0 {
		index = 0
	}
	return float64(sorted[index]) / 1e3
}

type rate struct {
	count   uint64
	elapsed time.Duration
	cpu     time.Duration
}

func (r rate) perSecond() float64 { return float64(r.count) / r.elapsed.Seconds() }

// A count of one caller, alone in its cache lines.
type count struct {
	done uint64
	_    [120]byte
}

// How long calls took, of each caller's one in 17; nil times none.
type times struct {
	warmAt time.Time
	mutex  sync.Mutex
	ns     []int64
}

func (t *times) call(client *rpc.Client, id uint64, payload []byte, caller int) error {
	if t == nil || (id+uint64(caller))%17 != 0 {
		return call(client, id, payload)
	}
	startedAt := time.Now()
	err := call(client, id, payload)
	if elapsed := time.Since(startedAt); startedAt.After(t.warmAt) {
		t.mutex.Lock()
		t.ns = append(t.ns, elapsed.Nanoseconds())
		t.mutex.Unlock()
	}
	return err
}

func (t *times) sorted() []int64 {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	sorted := append([]int64(nil), t.ns...)
	sort.Slice(sorted, func(a, b int) bool { return sorted[a] < sorted[b] })
	return sorted
}

func unary(connections, inFlight, bytes int, t target, timed *times) (rate, error) {
	counts := make([]count, connections*inFlight)
	failed := make(chan error, len(counts))
	payload := body(bytes)
	clients := make([]*rpc.Client, connections)
	for c := range clients {
		client, err := connect(t)
		if err != nil {
			return rate{}, err
		}
		clients[c] = client
	}
	for n := range counts {
		client, caller, own := clients[n/inFlight], n, &counts[n]
		go func() {
			for id := uint64(1); ; id++ {
				if err := timed.call(client, id, payload, caller); err != nil {
					failed <- err
					return
				}
				atomic.StoreUint64(&own.done, id)
			}
		}()
	}
	return watch(counts, failed, t, ms(t.measuredMs))
}

func watch(counts []count, failed chan error, t target, measured time.Duration) (rate, error) {
	done := func() (sum uint64) {
		for i := range counts {
			sum += atomic.LoadUint64(&counts[i].done)
		}
		return sum
	}
	time.Sleep(ms(t.warmUpMs))
	cpuBefore, before, startedAt := cpu(t.server), done(), time.Now()
	select {
	case err := <-failed:
		return rate{}, err
	case <-time.After(measured):
	}
	r := rate{done() - before, time.Since(startedAt), cpu(t.server) - cpuBefore}
	if r.count == 0 {
		return r, fmt.Errorf("hung: nothing was done within %v", measured)
	}
	return r, nil
}

func besideBlobs(t target) ([]sample, error) {
	client, err := connect(t)
	if err != nil {
		return nil, err
	}
	counts, failed := make([]count, 1), make(chan error, 1)
	first := make(chan bool)
	go func() {
		for id := uint64(1); ; id++ {
			var reply Message
			if err := client.Call("Echoing.Blob", 0, &reply); err != nil {
				failed <- err
				return
			}
			if len(reply.Payload) != blobBytes {
				failed <- fmt.Errorf("a reply of %d bytes", len(reply.Payload))
				return
			}
			atomic.StoreUint64(&counts[0].done, id)
			if id == 1 {
				close(first)
			}
		}
	}()
	select {
	case err := <-failed:
		return nil, err
	case <-first:
	}
	if t.measuredMs < 1000 {
		t.measuredMs = 1000
	}
	bulk := make(chan rate)
	go func() {
		r, err := watch(counts, failed, t, ms(t.measuredMs))
		if err != nil {
			fail(err)
		}
		bulk <- r
	}()
	sorted, err := pacedLatencies(client, t)
	r := <-bulk
	return []sample{
		{"W10", "p50_us", percentile(sorted, 0.5)},
		{"W10", "p99_us", percentile(sorted, 0.99)},
		{"W10", "mib_per_s", r.perSecond() * (blobBytes >> 20)},
	}, err
}
