// go_bench WORKLOAD N: the counterpart of weft_bench, workload by workload. Same output.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

var (
	n       int
	sink    int
	wg      sync.WaitGroup
	figures string
)

// One more figure of the workload, beside its time.
func figure(name string, value int64) {
	figures += fmt.Sprintf(" %s=%d", name, value)
}

// Bytes of memory that are resident now.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, _ := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

func spawn(count int) {
	wg.Add(count)
	for i := 0; i < count; i++ {
		go wg.Done()
	}
	wg.Wait()
}

func pingpong(pinned bool) {
	a, b := make(chan int), make(chan int)
	wg.Add(1)
	go func() {
		if pinned {
			runtime.LockOSThread()
		}
		for i := 0; i < n; i++ {
			b <- <-a + 1
		}
		wg.Done()
	}()
	if pinned {
		runtime.LockOSThread()
	}
	for i := 0; i < n; i++ {
		a <- i
		sink += <-b
	}
	wg.Wait()
}

func buffered() {
	c := make(chan int, 128)
	go func() {
		for i := 0; i < n; i++ {
			c <- i
		}
		close(c)
	}()
	for v := range c {
		sink += v
	}
}

func yieldAmong(tasks int) {
	wg.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func() {
			for k := 0; k < n/tasks; k++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
}

func selectReady() {
	a, b := make(chan int), make(chan int)
	produce := func(c chan int) {
		for i := 0; i < n/2; i++ {
			c <- i
		}
	}
	go produce(a)
	go produce(b)
	for i := 0; i < n/2*2; i++ {
		select {
		case v := <-a:
			sink += v
		case v := <-b:
			sink += v
		}
	}
}

func selectDefault() {
	a, b := make(chan int), make(chan int)
	for i := 0; i < n; i++ {
		select {
		case <-a:
		case <-b:
		default:
			sink++
		}
	}
}

func selectPingpong() {
	a, b, quit := make(chan int), make(chan int), make(chan int)
	go func() {
		for i := 0; i < n; i++ {
			v := 0
			select {
			case v = <-a:
			case <-quit:
			}
			select {
			case b <- v:
			case <-quit:
			}
		}
	}()
	for i := 0; i < n; i++ {
		select {
		case a <- i:
		case <-quit:
		}
		select {
		case v := <-b:
			sink += v
		case <-quit:
		}
	}
}

// All of them have run and wait before the gate is opened.
func parked() {
	memory, begin := resident(), time.Now()
	gate := make(chan int)
	var notStarted sync.WaitGroup
	wg.Add(n)
	notStarted.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			notStarted.Done()
			<-gate
			wg.Done()
		}()
	}
	notStarted.Wait()
	runtime.Gosched()
	figure("park_ns", time.Since(begin).Nanoseconds()/int64(n))
	figure("task_bytes", (resident()-memory)/int64(n))
	close(gate)
	wg.Wait()
}

// All sleep until one moment: how long until all have gone to sleep, how late the last wakes.
func sleepers() {
	begin := time.Now()
	wakeAt := begin.Add(4 * time.Second)
	var notStarted sync.WaitGroup
	wg.Add(n)
	notStarted.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			notStarted.Done()
			time.Sleep(time.Until(wakeAt))
			wg.Done()
		}()
	}
	notStarted.Wait()
	figure("asleep_ms", time.Since(begin).Milliseconds())
	figure("task_bytes", resident()/int64(n))
	wg.Wait()
	figure("late_ms", time.Since(wakeAt).Milliseconds())
}

func timerReset() {
	t := time.NewTimer(time.Hour)
	for i := 0; i < n; i++ {
		t.Reset(time.Hour + time.Duration(i&1023)*time.Millisecond)
	}
	t.Stop()
}

func timerReset10k() {
	const count = 10000
	timers := make([]*time.Timer, count)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour+time.Duration(i)*time.Millisecond, func() {})
	}
	for i := 0; i < n; i++ {
		timers[i*7919%count].Reset(time.Hour + time.Duration(i&0xffff)*time.Millisecond)
	}
}

func timerStop() {
	for i := 0; i < n; i++ {
		time.NewTimer(time.Hour).Stop()
	}
}

func timerFuncStop() {
	for i := 0; i < n; i++ {
		time.AfterFunc(time.Hour, func() {}).Stop()
	}
}

func skynetNode(out chan int, number, size int) {
	if size == 1 {
		out <- number
		return
	}
	in, sum := make(chan int), 0
	for i := 0; i < 10; i++ {
		go skynetNode(in, number+i*(size/10), size/10)
	}
	for i := 0; i < 10; i++ {
		sum += <-in
	}
	out <- sum
}

func skynet() {
	c := make(chan int)
	go skynetNode(c, 0, n)
	if <-c != n*(n-1)/2 {
		panic("wrong sum")
	}
}

func repeat(times, count int) {
	for i := 0; i < times; i++ {
		spawn(count)
	}
}

var workloads = map[string]func(){
	"spawn_all":       func() { spawn(n) },
	"spawn_batch":     func() { repeat(n/1000, 1000) },
	"spawn_one":       func() { repeat(n, 1) },
	"pingpong":        func() { pingpong(false) },
	"pinned":          func() { pingpong(true) },
	"buffered":        buffered,
	"yield2":          func() { yieldAmong(2) },
	"yield10k":        func() { yieldAmong(10000) },
	"select_ready":    selectReady,
	"select_default":  selectDefault,
	"select_pingpong": selectPingpong,
	"parked":          parked,
	"sleepers":        sleepers,
	"timer_reset":     timerReset,
	"timer_reset10k":  timerReset10k,
	"timer_stop":      timerStop,
	"timer_func_stop": timerFuncStop,
	"mutex_alone":     func() { locker(n) },
	"mutex_two":       func() { among(2, locker) },
	"mutex_16":        func() { among(16, locker) },
	"mutex_nested":    mutexNested,
	"rw_read":         rwRead,
	"rw_16":           func() { among(16, rwUser) },
	"waitgroup":       waitGroup,
	"cond_turns":      condTurns,
	"sem_alone":       func() { semUser(n) },
	"sem_16":          func() { among(16, semKeeper) },
	"once":            once,
	"skynet":          skynet,
}

func cpuTime() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// Not of getrusage: its peak is also that of the process that called exec.
func peakKB() (kb int) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	fmt.Sscanf(string(text[bytes.Index(text, []byte("VmHWM:")):]), "VmHWM: %d", &kb)
	return kb
}

func main() {
	if len(os.Args) == 3 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	if n <= 0 || workloads[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: go_bench WORKLOAD N")
		os.Exit(2)
	}
	cpuBefore := cpuTime()
	begin := time.Now()
	workloads[os.Args[1]]()
	wall := time.Since(begin)
	cpu := cpuTime()
	fmt.Printf("ns=%d cpu=%d rss_kb=%d%s\n", wall.Nanoseconds(), cpu-cpuBefore, peakKB(), figures)
}
