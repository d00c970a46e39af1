package dev.countersign.server.egress;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** What knows the addresses of a name; {@code InetAddress.getAllByName} unless a test says otherwise. It may block. */
@FunctionalInterface
interface Resolver {
    /**
     * All addresses of a name, at least one, in the order in which to try them.
     *
     * @throws UnknownHostException if it has none
     */
    List<InetAddress> resolve(String host) throws UnknownHostException;
}
