module sotto/interop/run

go 1.24

require sotto/interop/peerkit v0.0.0

replace sotto/interop/peerkit => ../peerkit
