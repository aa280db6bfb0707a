// SPDX-License-Identifier: MIT

package main

import "syscall"

// Children end with us, however we end.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
