module sotto/interop/peerkit

go 1.24
