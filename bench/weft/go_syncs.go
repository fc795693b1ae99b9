// Workloads of locks and meeting points.
package main

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"
)

var mutex sync.Mutex

func locker(count int) {
	for i := 0; i < count; i++ {
		mutex.Lock()
		sink++
		mutex.Unlock()
	}
}

func mutexNested() {
	var inner sync.Mutex
	for i := 0; i < n; i++ {
		mutex.Lock()
		inner.Lock()
		sink++
		inner.Unlock()
		mutex.Unlock()
	}
}

// The operations shared out among so many tasks.
func among(tasks int, work func(count int)) {
	wg.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func() {
			work(n / tasks)
			wg.Done()
		}()
	}
	wg.Wait()
}

var rw sync.RWMutex

func rwRead() {
	for i := 0; i < n; i++ {
		rw.RLock()
		sink++
		rw.RUnlock()
	}
}

// One in 16 writes.
func rwUser(count int) {
	seen := 0
	for i := 0; i < count; i++ {
		if i%16 == 0 {
			rw.Lock()
			sink++
			rw.Unlock()
		} else {
			rw.RLock()
			seen += sink
			rw.RUnlock()
		}
	}
}

func waitGroup() {
	for i := 0; i < n; i++ {
		wg.Add(1)
		wg.Done()
		wg.Wait()
	}
}

var (
	cond = sync.NewCond(&mutex)
	turn int
)

func takeTurns(mine int) {
	mutex.Lock()
	for i := 0; i < n; i++ {
		for turn != mine {
			cond.Wait()
		}
		turn = 1 - mine
		cond.Signal()
	}
	mutex.Unlock()
}

func condTurns() {
	wg.Add(1)
	go func() {
		takeTurns(1)
		wg.Done()
	}()
	takeTurns(0)
	wg.Wait()
}

var (
	sem        = semaphore.NewWeighted(4)
	background = context.Background()
)

func semUser(count int) {
	for i := 0; i < count; i++ {
		_ = sem.Acquire(background, 1)
		sink++
		sem.Release(1)
	}
}

// A place is kept over a yield, so that there is always somebody waiting.
func semKeeper(count int) {
	for i := 0; i < count; i++ {
		_ = sem.Acquire(background, 1)
		runtime.Gosched()
		sem.Release(1)
	}
}

func once() {
	var once sync.Once
	for i := 0; i < n; i++ {
		once.Do(func() { sink = 1 })
	}
}
