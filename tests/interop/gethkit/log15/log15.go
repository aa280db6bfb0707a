// SPDX-License-Identifier: MIT

// Package log15 watches the log of go-ethereum before it moved to slog.
package log15

import "github.com/ethereum/go-ethereum/log"

// Watch hands every line to a function, whatever its level; nothing is printed.
func Watch(line func(text string, context []any)) {
	log.Root().SetHandler(log.FuncHandler(func(r *log.Record) error {
		line(r.Msg, r.Ctx)
		return nil
	}))
}
