// SPDX-License-Identifier: MIT

package main

import "syscall"

// childAttributes lets no child outlive this program.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
