// weft_http.c line by line in Go: package net alone, without net/http. Prints its port.
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

const (
	inSize      = 8192
	outSize     = 8192
	responseMax = 256
)

type request struct {
	body  int
	close bool
}

type connection struct {
	c          net.Conn
	start, end int
	dateOf     int64
	date       []byte
	in         [inSize]byte
	out        []byte
}

var tokenChar [256]bool

func token(p []byte) int {
	n := 0
	for n < len(p) && tokenChar[p[n]] {
		n++
	}
	return n
}

func parseRequestLine(p []byte, r *request) bool {
	method := token(p)
	if method == 0 || method == len(p) || p[method] != ' ' {
		return false
	}
	p = p[method+1:]
	space := bytes.IndexByte(p, ' ')
	if space <= 0 || len(p)-space != 9 || string(p[space+1:space+8]) != "HTTP/1." {
		return false
	}
	r.close = p[space+8] == '0'
	return p[space+8] == '0' || p[space+8] == '1'
}

func is(p []byte, word string) bool {
	if len(p) != len(word) {
		return false
	}
	for i, c := range p {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

func parseHeader(p []byte, r *request) bool {
	name := token(p)
	if name == 0 || name == len(p) || p[name] != ':' {
		return false
	}
	value := p[name+1:]
	for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for len(value) > 0 && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	p = p[:name]
	if is(p, "content-length") {
		n, err := strconv.ParseUint(string(value), 10, 63)
		r.body = int(n)
		return err == nil
	}
	if is(p, "transfer-encoding") {
		return false
	}
	if is(p, "connection") {
		r.close = is(value, "close") || (r.close && !is(value, "keep-alive"))
	}
	return true
}

// The size of the head that begins at in[start]; 0: there is more to come; -1: no request.
func (c *connection) parse(r *request) int {
	*r = request{}
	p, at := c.in[c.start:c.end], 0
	for first := true; ; first = false {
		n := bytes.IndexByte(p[at:], '\n')
		if n < 0 {
			return 0
		}
		if n == 0 || p[at+n-1] != '\r' {
			return -1
		}
		line := p[at : at+n-1]
		if len(line) == 0 && !first {
			return at + n + 1
		}
		if first && !parseRequestLine(line, r) || !first && !parseHeader(line, r) {
			return -1
		}
		at += n + 1
	}
}

func (c *connection) flush() bool {
	if len(c.out) == 0 {
		return true
	}
	_, err := c.c.Write(c.out)
	c.out = c.out[:0]
	return err == nil
}

func (c *connection) respond(status string, close bool) bool {
	const hello = "Hello, world\n"
	if outSize-len(c.out) < responseMax && !c.flush() {
		return false
	}
	if now := time.Now(); now.Unix() != c.dateOf {
		c.date = now.UTC().AppendFormat(c.date[:0], "Mon, 02 Jan 2006 15:04:05 GMT")
		c.dateOf = now.Unix()
	}
	c.out = append(c.out, "HTTP/1.1 "...)
	c.out = append(c.out, status...)
	c.out = append(c.out, "\r\nDate: "...)
	c.out = append(c.out, c.date...)
	c.out = append(c.out, "\r\nContent-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(hello)), 10)
	c.out = append(c.out, "\r\nContent-Type: text/plain; charset=utf-8\r\n"...)
	if close {
		c.out = append(c.out, "Connection: close\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
	c.out = append(c.out, hello...)
	return true
}

func (c *connection) fill() bool {
	if c.start > 0 {
		copy(c.in[:], c.in[c.start:c.end])
		c.end -= c.start
		c.start = 0
	}
	if c.end == inSize {
		return false
	}
	n, _ := c.c.Read(c.in[c.end:])
	c.end += n
	return n > 0
}

func (c *connection) skipBody(body int) bool {
	for body > c.end-c.start {
		body -= c.end - c.start
		c.start, c.end = 0, 0
		if !c.fill() {
			return false
		}
	}
	c.start += body
	return true
}

func handle(conn net.Conn) {
	c := &connection{c: conn, out: make([]byte, 0, outSize)}
	for open := true; open; {
		var r request
		switch head := c.parse(&r); {
		case head == 0:
			open = c.flush() && c.fill()
		case head < 0:
			c.respond("400 Bad Request", true)
			open = false
		default:
			c.start += head
			open = c.skipBody(r.body) && c.respond("200 OK", r.close) && !r.close
		}
	}
	c.flush()
	conn.Close()
}

func main() {
	for c := 0; c < 128; c++ {
		tokenChar[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), byte(c)) >= 0
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		if c, err := listener.Accept(); err == nil {
			go handle(c)
		}
	}
}
