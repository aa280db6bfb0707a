// SPDX-License-Identifier: MIT

package main

// families are the stock peers that speak Whisper; each plays the same scenes.
var families = []string{"geth19", "geth18", "status"}

// scenarios is everything there is, in the order of starting.
func scenarios() []scenario {
	list := []scenario{
		{"traffic", []string{"geth18", "geth19", "status", "sotto"}, backer, playTraffic},
	}
	for _, f := range families {
		scene := func(name string, k kind, play func(*T, string), needs ...string) {
			list = append(list, scenario{f + "/" + name, append([]string{f, "sotto"}, needs...), k,
				func(t *T) { play(t, f) }})
		}
		scene("dials-us", light, playDialsUs)
		scene("we-dial", light, playWeDial)
		scene("hello", light, playHello)
		scene("messages-to-us", light, playMessagesToUs)
		scene("messages-from-us", light, playMessagesFromUs)
		scene("relay", light, playRelay)
		scene("their-work", light, playTheirWork)
		scene("our-work", light, playOurWork, "nodectl")
		scene("their-bloom", light, playTheirBloom)
		scene("our-bloom", light, playOurBloom, "nodectl")
		scene("direct", light, playDirect, "nodectl")
		scene("they-hang-up", light, playTheyHangUp, "nodectl")
		scene("we-hang-up", light, playWeHangUp, "nodectl")
		scene("they-are-full", light, playTheyAreFull)
		scene("we-are-full", light, playWeAreFull)
		scene("burst", heavy, playBurst)
		scene("late-joiner", heavy, playLateJoiner)
	}
	return append(list,
		scenario{"status/confirmations", []string{"status", "sotto"}, light, playConfirmations},
		scenario{"status/direct-list", []string{"status", "sotto", "nodectl"}, light, playDirectList},
		scenario{"bridge/refusal-without-us", []string{"geth18", "geth19", "status"}, light, playRefusal},
		scenario{"bridge/geth18-geth19", []string{"geth18", "geth19", "sotto"}, light, bridge("geth18", "geth19")},
		scenario{"bridge/geth18-status", []string{"geth18", "status", "sotto"}, light, bridge("geth18", "status")},
		scenario{"bridge/nameless", []string{"geth18", "geth19", "sotto"}, light, playNameless},
		scenario{"bridge/off", []string{"geth18", "geth19", "sotto"}, light, playBridgeOff},
		scenario{"parity/dials-us", []string{"parity", "sotto"}, light, playParityDialsUs},
		scenario{"parity/we-dial", []string{"parity", "sotto"}, light, playParityWeDial},
		scenario{"parity/hello", []string{"parity", "sotto"}, light, playParityHello},
		scenario{"parity/messages-to-us", []string{"parity", "sotto"}, light, playParityMessagesToUs},
		scenario{"parity/messages-from-us", []string{"parity", "sotto"}, light, playParityMessagesFromUs},
		scenario{"parity/relay", []string{"parity", "geth18", "sotto"}, light, playParityRelay},
		scenario{"parity/weak", []string{"parity", "sotto"}, light, playParityWeak},
		scenario{"parity/settings", []string{"parity", "nodectl"}, light, playParitySettings},
		scenario{"parity/direct", []string{"parity", "nodectl"}, light, playParityDirect},
		scenario{"today/capabilities", []string{"today", "sotto"}, light, playCapabilities},
		scenario{"today/disconnects", []string{"today", "sotto"}, light, playDisconnects},
		scenario{"today/shared-connection", []string{"today", "geth19", "nodectl"}, light, playSharedConnection},
		scenario{"today/ping", []string{"today", "nodectl"}, alone, playPing},
		scenario{"devp2p/rlpx-ping", []string{"devp2p", "sotto"}, light, playDevp2pPing},
		scenario{"js/dials-us", []string{"js", "geth19", "sotto"}, light, playJSDialsUs},
		scenario{"js/we-dial", []string{"js", "sotto"}, light, playJSWeDial},
	)
}
