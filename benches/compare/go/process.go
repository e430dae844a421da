package main

import (
	"fmt"
	"net/rpc"
	"os"
	"strconv"
	"strings"
	"time"
)

// Returns the CPU time of this process and the server's, in steps of 10 ms.
func cpu(server int) time.Duration {
	var ticks int
	for _, pid := range []int{os.Getpid(), server} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			fail(err)
		}
		// The name, in parentheses, may hold spaces.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, field := range fields[11:13] {
			n, err := strconv.Atoi(field)
			if err != nil {
				fail(err)
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func residentBytes(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Rss:" {
			kib, err := strconv.Atoi(fields[1])
			return float64(kib) * 1024, err
		}
	}
	return 0, fmt.Errorf("smaps_rollup has no Rss")
}

// Returns by how much the server grows with each idle connection, and this process.
func idle(t target) ([]sample, error) {
	const connections = 1000
	payload := body(64)
	open := func(n int) ([]*rpc.Client, error) {
		var clients []*rpc.Client
		for len(clients) < n {
			client, err := connect(t)
			if err != nil {
				return nil, err
			}
			if err := call(client, 1, payload); err != nil {
				return nil, err
			}
			clients = append(clients, client)
		}
		return clients, nil
	}
	if _, err := open(16); err != nil {
		return nil, err
	}
	time.Sleep(ms(100))
	before := map[int]float64{}
	pids := []int{t.server, os.Getpid()}
	for _, pid := range pids {
		bytes, err := residentBytes(pid)
		if err != nil {
			return nil, err
		}
		before[pid] = bytes
	}
	if _, err := open(connections); err != nil {
		return nil, err
	}
	time.Sleep(ms(300))
	var samples []sample
	for i, work := range []string{"W8", "W8-client"} {
		bytes, err := residentBytes(pids[i])
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample{work, "bytes_per_connection", (bytes - before[pids[i]]) / connections})
	}
	return samples, nil
}
