module sotto/bench/peers

go 1.24
