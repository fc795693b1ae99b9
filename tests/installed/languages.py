"""languages.py LOITER - programs of other languages' runtimes, which bring threads, unwinders and
allocators of their own, with and without Loiter: outputs, status and what is left behind.

What is not installed is left out; where nothing is, the test is skipped (status 77).
"""

import os
import shutil
import subprocess
import sys
import tempfile

import outcome

RUST = r"""
use std::sync::{mpsc, Arc, Mutex, RwLock};
use std::{panic, process, thread};
fn main() {
    let (to, from) = mpsc::channel();
    let sum = Arc::new(Mutex::new(0u64));
    let seen = Arc::new(RwLock::new(Vec::new()));
    let threads: Vec<_> = (0..8u64).map(|n| {
        let (to, sum, seen) = (to.clone(), sum.clone(), seen.clone());
        thread::spawn(move || {
            for i in 0..1000 {
                *sum.lock().unwrap() += i * n;
                if i % 100 == 0 { seen.write().unwrap().push(n); }
            }
            to.send(n).unwrap();
        })
    }).collect();
    drop(to);
    for t in threads { t.join().unwrap(); }
    panic::set_hook(Box::new(|_| {}));
    let poisoned = sum.clone();
    let panicked = thread::spawn(move || { let _held = poisoned.lock().unwrap(); panic!("on purpose") });
    println!("panicked {}", panicked.join().is_err());
    println!("poisoned {} caught {}", sum.is_poisoned(), panic::catch_unwind(|| panic!("too")).is_err());
    println!("{} {}", from.iter().sum::<u64>(), seen.read().unwrap().len());
    let done = process::Command::new("sh").args(["-c", "exit 7"]).status().unwrap();
    println!("child {:?}", done.code());
    process::exit(3);
}
"""
GO = r"""
package main
/*
#include <pthread.h>
#include <stdlib.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long total;
static void add(long n) { pthread_mutex_lock(&m); total += n; free(malloc(n)); pthread_mutex_unlock(&m); }
static long read_total(void) { return total; }
*/
import "C"
import ("fmt"; "os"; "os/exec"; "sync"; "time")
func main() {
    var all sync.WaitGroup
    for i := 1; i <= 200; i++ {
        all.Add(1)
        go func(n int) { defer all.Done(); C.add(C.long(n)); time.Sleep(time.Millisecond) }(i)
    }
    all.Wait()
    func() {
        defer func() { fmt.Println("recovered", recover() != nil) }()
        var none map[string]int
        none["x"] = 1
    }()
    err := exec.Command("sh", "-c", "exit 5").Run()
    fmt.Println(C.read_total(), err)
    os.Exit(4)
}
"""
JAVA = r"""
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
public class Program {
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        AtomicLong sum = new AtomicLong();
        for (int i = 0; i < 1000; i++) { final int n = i; pool.submit(() -> sum.addAndGet(n)); }
        pool.shutdown();
        System.out.println(pool.awaitTermination(60, TimeUnit.SECONDS) + " " + sum);
        Process child = new ProcessBuilder("sh", "-c", "exit 6").start();
        System.out.println("child " + child.waitFor());
        try { Object none = null; none.hashCode(); } catch (NullPointerException e) { System.out.println("caught"); }
        System.exit(5);
    }
}
"""
NODE = r"""
const { Worker, isMainThread, parentPort } = require('worker_threads');
const { execFile } = require('child_process');
const crypto = require('crypto');
if (!isMainThread) {
  parentPort.on('message', n => { parentPort.postMessage(n * n); parentPort.close(); });
} else {
  const all = [1, 2, 3, 4].map(n => new Promise(done => {
    const w = new Worker(__filename);
    w.on('message', done);
    w.postMessage(n);
  }));
  const hashes = [1, 2, 3, 4, 5, 6].map(n => new Promise(done =>
    crypto.pbkdf2('x', 'salt', 1000 * n, 32, 'sha256', (_, key) => done(key.toString('hex').slice(0, 8)))));
  Promise.all([...all, ...hashes]).then(out => {
    console.log(out.join(' '));
    execFile('sh', ['-c', 'exit 2'], e => { console.log('child', e.code); process.exitCode = 6; });
  });
}
"""


def build(root, name, source, *argv):
    """The path of the source; compiled by argv where that is not empty. None where it cannot be."""
    path = os.path.join(root, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(source)
    if argv and (not shutil.which(argv[0]) or subprocess.run(argv, cwd=root, check=False).returncode):
        return None
    return path


def cases(root):
    if build(root, "program.rs", RUST, "rustc", "-C", "prefer-dynamic=no", "-o", "rust", "program.rs"):
        yield outcome.Case("Rust", [os.path.join(root, "rust")])
    if build(root, "program.go", GO, "go", "build", "-o", "cgo", "program.go"):
        yield outcome.Case("Go with cgo", [os.path.join(root, "cgo")])
    java, node = build(root, "Program.java", JAVA), build(root, "program.js", NODE)
    if shutil.which("java"):
        yield outcome.Case("Java: -version", ["java", "-version"], timeout_s=300)
    if shutil.which("javac"):
        yield outcome.Case("Java", ["java", java], timeout_s=300)
    if shutil.which("node"):
        yield outcome.Case("Node", [shutil.which("node"), node], timeout_s=300)


def main():
    with tempfile.TemporaryDirectory(prefix="loiter-languages-") as root:
        os.chmod(root, 0o755)
        chosen = list(cases(root))
        if not chosen:
            return 77
        print("to run:", ", ".join(case.name for case in chosen), flush=True)
        return outcome.judge_all(chosen, os.path.abspath(sys.argv[1]), 1, verbose=True)


if __name__ == "__main__":
    sys.exit(main())
