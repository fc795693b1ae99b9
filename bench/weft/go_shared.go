// Workloads of what goroutines share: groups, flights, pools, maps, defer.
package main

import (
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

const (
	sharers  = 16
	mapKeys  = 1024
	ownCount = 64
	bufSize  = 4096
)

// The operations shared out among goroutines; each knows its number.
func amongNumbered(work func(number, count int)) {
	wg.Add(sharers)
	for i := 0; i < sharers; i++ {
		go func(number int) {
			work(number, n/sharers)
			wg.Done()
		}(i)
	}
	wg.Wait()
}

func groups(limit int) {
	for i := 0; i < n; i += 1000 {
		var group errgroup.Group
		group.SetLimit(limit)
		for k := 0; k < 1000; k++ {
			group.Go(func() error { return nil })
		}
		_ = group.Wait()
	}
}

var flight singleflight.Group

func flightAlone() {
	for i := 0; i < n; i++ {
		v, _, _ := flight.Do("key", func() (interface{}, error) { return 1, nil })
		sink += v.(int)
	}
}

func flight16() {
	amongNumbered(func(_, count int) {
		sum := 0
		for i := 0; i < count; i++ {
			v, _, _ := flight.Do("key", func() (interface{}, error) {
				runtime.Gosched()
				return 1, nil
			})
			sum += v.(int)
		}
	})
}

var buffers = sync.Pool{New: func() interface{} { return new([bufSize]byte) }}

func poolAlone() {
	for i := 0; i < n; i++ {
		buffer := buffers.Get().(*[bufSize]byte)
		buffer[i%bufSize] = 1
		buffers.Put(buffer)
	}
}

func pool16() {
	amongNumbered(func(_, count int) {
		for i := 0; i < count; i++ {
			buffer := buffers.Get().(*[bufSize]byte)
			buffer[i%bufSize] = 1
			runtime.Gosched()
			buffers.Put(buffer)
		}
	})
}

var escaped [sharers]*[bufSize]byte

func buffers16() {
	amongNumbered(func(number, count int) {
		for i := 0; i < count; i++ {
			buffer := new([bufSize]byte)
			escaped[number] = buffer
			buffer[i%bufSize] = 1
			runtime.Gosched()
		}
	})
}

// The concurrent map, and the plain one under a mutex.
type keyedStore interface {
	store(key, value uint64)
	load(key uint64) uint64
}

type concurrentMap struct{ m sync.Map }

func (c *concurrentMap) store(key, value uint64) { c.m.Store(key, value) }
func (c *concurrentMap) load(key uint64) uint64 {
	if v, ok := c.m.Load(key); ok {
		return v.(uint64)
	}
	return 0
}

type lockedMap struct {
	mutex sync.Mutex
	m     map[uint64]uint64
}

func (l *lockedMap) store(key, value uint64) {
	l.mutex.Lock()
	l.m[key] = value
	l.mutex.Unlock()
}
func (l *lockedMap) load(key uint64) uint64 {
	l.mutex.Lock()
	value := l.m[key]
	l.mutex.Unlock()
	return value
}

// What share of the operations stores, and to which key.
func mapUser(m keyedStore, stores func(i int) bool, fresh bool) func(number, count int) {
	return func(number, count int) {
		key, next, sum := uint64(number), uint64(number+1)<<32, uint64(0)
		for i := 0; i < count; i++ {
			key = (key*25214903917 + 11) % mapKeys
			if !stores(i) {
				sum += m.load(key)
			} else if fresh {
				m.store(next, key)
				next++
			} else {
				m.store(key, key)
			}
		}
	}
}

func ownKeys(m keyedStore) func(number, count int) {
	return func(number, count int) {
		sum := uint64(0)
		for i := 0; i < count; i++ {
			key := uint64(number*ownCount + i/2%ownCount)
			if i%2 == 0 {
				m.store(key, key)
			} else {
				sum += m.load(key)
			}
		}
	}
}

func oneIn100(i int) bool { return i%100 == 0 }
func nineIn10(i int) bool { return i%10 != 0 }

func withMap(m keyedStore, user func(m keyedStore) func(number, count int)) {
	for key := uint64(0); key < mapKeys; key++ {
		m.store(key, key)
	}
	amongNumbered(user(m))
}

func mapWorkload(locked bool, user func(m keyedStore) func(number, count int)) func() {
	return func() {
		if locked {
			withMap(&lockedMap{m: make(map[uint64]uint64)}, user)
		} else {
			withMap(&concurrentMap{}, user)
		}
	}
}

func readFixed(m keyedStore) func(int, int)   { return mapUser(m, oneIn100, false) }
func readGrowing(m keyedStore) func(int, int) { return mapUser(m, oneIn100, true) }
func writeFixed(m keyedStore) func(int, int)  { return mapUser(m, nineIn10, false) }

//go:noinline
func locked() {
	mutex.Lock()
	defer mutex.Unlock()
	sink++
}

func deferOne() {
	for i := 0; i < n; i++ {
		locked()
	}
}

//go:noinline
func pileUp(times int) {
	for i := 0; i < times; i++ {
		defer func(i int) { sink += i }(i)
	}
}

func init() {
	workloads["group"] = func() { groups(-1) }
	workloads["group_limit"] = func() { groups(16) }
	workloads["flight_alone"] = flightAlone
	workloads["flight_16"] = flight16
	workloads["pool_alone"] = poolAlone
	workloads["pool_16"] = pool16
	workloads["buffers_16"] = buffers16
	workloads["defer"] = deferOne
	workloads["defer_loop"] = func() {
		for i := 0; i < n; i += 1000 {
			pileUp(1000)
		}
	}
	for name, user := range map[string]func(keyedStore) func(int, int){
		"read_fixed": readFixed, "read_growing": readGrowing,
		"write_fixed": writeFixed, "own_keys": ownKeys,
	} {
		workloads["cmap_"+name] = mapWorkload(false, user)
		workloads["map_"+name] = mapWorkload(true, user)
	}
}
