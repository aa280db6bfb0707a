module sotto/interop/gethkit

go 1.24

require (
	github.com/ethereum/go-ethereum v1.8.27
	sotto/interop/peerkit v0.0.0
)

replace sotto/interop/peerkit => ../peerkit
