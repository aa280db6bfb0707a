// SPDX-License-Identifier: MIT
//
// An RLPx peer made of @ethereumjs/devp2p with a Whisper capability of our own
// on top: just enough of shh/6 (Status, and packets as bytes) to see that the
// two transports understand each other.  Commands and reports are the JSON
// lines of peerkit (see ../peerkit/wire.go).
import { createInterface } from 'node:readline'
import { createServer } from 'node:net'
import { randomBytes } from 'node:crypto'
import { Common, Mainnet } from '@ethereumjs/common'
import { RLPx } from '@ethereumjs/devp2p'
import snappy from 'snappyjs'

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const bytes = (text) => new Uint8Array(Buffer.from(text.replace(/^0x/, ''), 'hex'))
const report = (line) => process.stdout.write(JSON.stringify(line) + '\n')

// geth's Status: version 6, work 0, no bloom, not light (EIP-627).
const STATUS = bytes('c406808080')

const links = new Map() // peer's public key -> protocol

// What RLPx asks of a protocol; its own base class is not exported.
class Shh {
  constructor(version, peer, send) {
    this.peer = peer
    this.send = send
    links.set(hex(peer.getId()), this)
  }

  // Protocols compress for themselves.
  write(code, body) {
    this.send(code, snappy.compress(body))
  }

  _handleMessage(code, body) {
    report({ event: 'packet', peer: hex(this.peer.getId()), code, size: body.length, data: hex(body) })
  }
}

// Hello names the port, so it has to be known before RLPx begins to listen.
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const key = randomBytes(32)
const rlpx = new RLPx(new Uint8Array(key), {
  common: new Common({ chain: Mainnet }),
  capabilities: [{ name: 'shh', version: 6, length: 128, constructor: Shh }],
  listenPort: port,
})

rlpx.events.on('peer:added', (peer) => {
  const hello = peer.getHelloMessage()
  report({
    event: 'add',
    peer: hex(peer.getId()),
    version: hello.protocolVersion,
    name: hello.clientId,
    caps: hello.capabilities.map((c) => `${c.name}/${c.version}`),
    shared: peer.getProtocols().length,
  })
  // Not in the protocol's constructor: that may run before our own Hello went out.
  links.get(hex(peer.getId())).write(0, STATUS)
})
rlpx.events.on('peer:removed', (peer, reason, ours) =>
  report({ event: 'drop', peer: hex(peer.getId() ?? []), reason: Number(reason), ours: ours === true }))
rlpx.events.on('peer:error', (peer, error) => report({ event: 'error', error: String(error) }))
rlpx.events.on('error', (error) => report({ event: 'error', error: String(error) }))

function split(enode) {
  const url = new URL(enode.replace(/^enode:/, 'http:'))
  return { id: bytes(url.username), address: url.hostname, tcpPort: Number(url.port), udpPort: null }
}

const commands = {
  dial: (c) => rlpx.connect(split(c.enode)),
  send: (c) => links.get(hex(split(c.enode).id)).write(c.code, bytes(c.data)),
  hangup: (c) => rlpx.disconnect(split(c.enode).id),
}

rlpx.listen(port, '127.0.0.1', () => {
  report({ event: 'ready', enode: `enode://${hex(rlpx.id)}@127.0.0.1:${port}` })
})

const input = createInterface({ input: process.stdin })
input.on('line', async (line) => {
  const c = JSON.parse(line)
  try {
    if (c.cmd === 'quit') process.exit(0)
    if (!(c.cmd in commands)) throw new Error(`no such command: ${c.cmd}`)
    await commands[c.cmd](c)
    report({ id: c.id, ok: true })
  } catch (error) {
    report({ id: c.id, error: String(error) })
  }
})
input.on('close', () => process.exit(0))
