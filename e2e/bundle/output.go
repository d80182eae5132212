package bundle

import (
	"io"
	"sync"
)

// lockedBuffer keeps the end of what several writers write, and passes all of it on.
type lockedBuffer struct {
	mutex sync.Mutex
	live  io.Writer
	end   []byte
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.end = append(b.end, p...)
	if cut := len(b.end) - errorTail; cut > 0 {
		b.end = b.end[cut:]
	}
	return b.live.Write(p)
}

// tail is the end of the output in the form in which it follows an error.
func (b *lockedBuffer) tail() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.end) == 0 {
		return ""
	}
	return "\n" + string(b.end)
}
