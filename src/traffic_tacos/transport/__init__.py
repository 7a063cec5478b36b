"""How calls come in and answers go out: gRPC, Connect, REST, the payment page. Each hands a call to `calls`."""
