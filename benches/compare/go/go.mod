module farcall/benches/compare/go

go 1.19
