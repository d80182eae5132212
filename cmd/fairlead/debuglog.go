package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/klog/v2"
)

// keptLogs is how many debug logs stay in the cache folder.
const keptLogs = 20

// logStamp orders the logs' names by time.
const logStamp = "20060102T150405.000Z"

// debugLog is the file that gets everything a run says, with secrets masked.
type debugLog struct {
	*slog.Logger
	path string // empty when there is no file
	file *os.File
}

// openLog starts the debug log of a command below the user's cache folder and removes
// the oldest ones. The log it returns is usable also when there is an error.
func openLog(command string, now time.Time) (*debugLog, error) {
	none := &debugLog{Logger: slog.New(slog.DiscardHandler)}
	cache, err := os.UserCacheDir()
	if err != nil {
		return none, fmt.Errorf("find the cache folder: %w", err)
	}
	folder := filepath.Join(cache, "fairlead", "log")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return none, err
	}
	path := filepath.Join(folder, now.UTC().Format(logStamp)+"-"+command+".log")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return none, err
	}
	logger := slog.New(slog.NewJSONHandler(file, &slog.HandlerOptions{Level: slog.LevelDebug}))
	// What client-go says belongs there too, and not on the user's terminal.
	klog.SetSlogLogger(logger)
	klog.LogToStderr(false)
	return &debugLog{Logger: logger, path: path, file: file}, pruneLogs(folder)
}

// Close ends the log.
func (l *debugLog) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// pruneLogs removes all but the newest logs.
func pruneLogs(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	logs := slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() || !strings.HasSuffix(e.Name(), ".log") })
	var errs []error
	for _, entry := range logs[:max(0, len(logs)-keptLogs)] {
		// Another fairlead may have removed it just now.
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
