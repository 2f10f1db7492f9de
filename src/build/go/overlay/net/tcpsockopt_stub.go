//go:build js || wasip1

// TCP's options. A connection to the gate is memory in the same process, for which they mean nothing, so setting
// them succeeds.

package net

import "time"

func setNoDelay(fd *netFD, noDelay bool) error { return nil }

func setKeepAliveIdle(fd *netFD, d time.Duration) error { return nil }

func setKeepAliveInterval(fd *netFD, d time.Duration) error { return nil }

func setKeepAliveCount(fd *netFD, n int) error { return nil }
