//! Links, connections, channels and servers of farcall.
