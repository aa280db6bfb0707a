// SPDX-License-Identifier: MIT

// Command geth18 is a Whisper peer made of go-ethereum 1.8.27.
package main

import (
	"log"

	"sotto/interop/gethkit"
	"sotto/interop/gethkit/log15"
	"sotto/interop/gethkit/shh"
	"sotto/interop/peerkit"
)

func main() {
	o, err := gethkit.Flags("Geth/v1.8.27-interop", log15.Watch)
	if err == nil {
		err = gethkit.Run(o, shh.New(o), peerkit.NewOut())
	}
	if err != nil {
		log.Fatal(err)
	}
}
