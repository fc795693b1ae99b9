// go_bench WORKLOAD N: the counterpart of weft_bench.c, workload by workload.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

var (
	n    int
	sink int
	wg   sync.WaitGroup
)

func spawn(count int) {
	wg.Add(count)
	for i := 0; i < count; i++ {
		go wg.Done()
	}
	wg.Wait()
}

func pingpong() {
	a, b := make(chan int), make(chan int)
	go func() {
		for i := 0; i < n; i++ {
			b <- <-a + 1
		}
	}()
	for i := 0; i < n; i++ {
		a <- i
		sink += <-b
	}
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

func parked() {
	c := make(chan int)
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			<-c
			wg.Done()
		}()
	}
	runtime.Gosched()
	close(c)
	wg.Wait()
}

func timerReset() {
	t := time.NewTimer(time.Hour)
	for i := 0; i < n; i++ {
		t.Reset(time.Hour + time.Duration(i&1023)*time.Millisecond)
	}
	t.Stop()
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

var mutex sync.Mutex

func locker(count int) {
	for i := 0; i < count; i++ {
		mutex.Lock()
		sink++
		mutex.Unlock()
	}
}

func mutexTwo() {
	wg.Add(2)
	for k := 0; k < 2; k++ {
		go func() {
			locker(n / 2)
			wg.Done()
		}()
	}
	wg.Wait()
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
	"pingpong":        pingpong,
	"buffered":        buffered,
	"yield2":          func() { yieldAmong(2) },
	"yield10k":        func() { yieldAmong(10000) },
	"select_ready":    selectReady,
	"select_default":  selectDefault,
	"select_pingpong": selectPingpong,
	"parked":          parked,
	"timer_reset":     timerReset,
	"timer_stop":      timerStop,
	"timer_func_stop": timerFuncStop,
	"mutex_alone":     func() { locker(n) },
	"mutex_two":       mutexTwo,
	"skynet":          skynet,
}

func usage() (cpu int64, rss int64) {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano(), u.Maxrss
}

func main() {
	if len(os.Args) == 3 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	if n <= 0 || workloads[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: go_bench WORKLOAD N")
		os.Exit(2)
	}
	cpuBefore, _ := usage()
	begin := time.Now()
	workloads[os.Args[1]]()
	wall := time.Since(begin)
	cpu, rss := usage()
	fmt.Printf("ns=%d cpu=%d rss_kb=%d\n", wall.Nanoseconds(), cpu-cpuBefore, rss)
}
