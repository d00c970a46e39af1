package dev.countersign.server.egress;

import java.net.IDN;
import java.net.InetAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where the operator lets this server call. Nothing is allowed that is not listed; see {@link #parse} for what a list says.
 *
 * @param hosts the hosts that may be called, by name or address
 * @param networks the ranges beyond the public internet to which the name of an allowed host may lead
 */
public record EgressRules(List<Host> hosts, List<Range> networks) {
    /** Rules that allow no call at all. */
    public static final EgressRules NONE = new EgressRules(List.of(), List.of());

    private static final int HTTPS = 443;
    private static final Pattern NAME =
            Pattern.compile("(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\\.[a-z0-9_]([a-z0-9_-]{0,62}))*");

    /**
     * A host that may be called.
     *
     * @param plain whether over http, otherwise over https
     * @param subdomains whether the names below {@code name} are meant, and not that name itself
     * @param name in lower case; an IPv6 address without brackets
     * @param port the one port
     */
    record Host(boolean plain, boolean subdomains, String name, int port) {
        private boolean covers(Destination to) {
            return to.plain() == plain
                    && to.port() == port
                    && (subdomains ? to.host().endsWith("." + name) : to.host().equals(name));
        }
    }

    /**
     * Addresses beyond the public internet that may be connected to.
     *
     * @param network the addresses
     * @param port the one port, or 0 for any
     */
    record Range(Network network, int port) {
        private boolean covers(InetAddress address, int to) {
            return (port == 0 || port == to) && network.contains(address);
        }
    }

    /** A place that the rules let be called, as far as its URL tells. */
    record Destination(boolean plain, String host, int port) {
        @Override
        public String toString() {
            return (plain ? "http://" : "https://") + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
        }
    }

    /** Those rules. */
    public EgressRules {
        hosts = List.copyOf(hosts);
        networks = List.copyOf(networks);
    }

    /**
     * The rules that an operator has written, one a text:
     *
     * <ul>
     *   <li>{@code api.example.com}: that host over https, at port 443; {@code api.example.com:8443} at that port;
     *   <li>{@code *.corp.example}: every host below that name, not the name itself; also with a port;
     *   <li>{@code 10.1.2.3:8443} or {@code [fd00::1]:8443}: that address over https, though it be private; an allowed host
     *       whose name leads there may be called at that port too;
     *   <li>{@code 10.1.0.0/16}: any allowed host may have an address in that range; this alone allows no call;
     *   <li>{@code http://127.0.0.1:9000} or {@code http://receiver.internal:9000}: plain http to that very host and port.
     * </ul>
     *
     * @throws IllegalArgumentException if a text is none of these; the message cites it
     */
    public static EgressRules parse(List<String> texts) {
        var hosts = new ArrayList<Host>();
        var networks = new ArrayList<Range>();
        for (String text : texts) {
            try {
                add(text.strip(), hosts, networks);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "the outbound destination `" + text + "` cannot be used: " + e.getMessage(), e);
            }
        }
        return new EgressRules(hosts, networks);
    }

    private static void add(String text, List<Host> hosts, List<Range> networks) {
        boolean plain = text.startsWith("http://");
        String rest = plain || text.startsWith("https://") ? text.substring(text.indexOf("//") + 2) : text;
        if (rest.contains("://")) {
            throw new IllegalArgumentException("only https and http are spoken");
        }
        if (rest.indexOf('/') >= 0 && rest.equals(text)) {
            networks.add(new Range(Network.parse(text), 0));
            return;
        }
        if (rest.chars().anyMatch(c -> "/@?#".indexOf(c) >= 0)) {
            throw new IllegalArgumentException("it is a host, perhaps with a port, and has no path, user or query");
        }
        int colon = rest.lastIndexOf(':');
        boolean hasPort = colon > rest.lastIndexOf(']') && (rest.startsWith("[") || rest.indexOf(':') == colon);
        if (plain && !hasPort) {
            throw new IllegalArgumentException(
                    "plain http is allowed to one port only; write it, as in http://host:80");
        }
        int port = hasPort ? port(rest.substring(colon + 1)) : HTTPS;
        String host = hasPort ? rest.substring(0, colon) : rest;
        boolean subdomains = host.startsWith("*.");
        if (plain && subdomains) {
            throw new IllegalArgumentException("plain http is allowed to one host only, not to all below a name");
        }
        String name = name(subdomains ? host.substring(2) : host);
        InetAddress address = Network.literal(name);
        if (address != null && subdomains) {
            throw new IllegalArgumentException("there are no names below an address");
        }
        hosts.add(new Host(plain, subdomains, name, port));
        if (address != null) {
            networks.add(new Range(new Network(address, address.getAddress().length * 8), port));
        }
    }

    private static int port(String text) {
        if (!text.matches("\\d{1,5}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > 65_535) {
            throw new IllegalArgumentException("`" + text + "` is not a port");
        }
        return Integer.parseInt(text);
    }

    /** A host as it is compared: an address in its one form, a name in ASCII and lower case. */
    private static String name(String host) {
        InetAddress address = Network.literal(host);
        if (address != null) {
            return address.getHostAddress();
        }
        if (Network.almostLiteral(host)) {
            throw new IllegalArgumentException("`" + host + "` is neither a name nor an address in its usual form");
        }
        String name = IDN.toASCII(host.endsWith(".") ? host.substring(0, host.length() - 1) : host)
                .toLowerCase(Locale.ROOT);
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("`" + host + "` is not the name of a host");
        }
        return name;
    }

    /**
     * Tells whether a URL may be called as far as can be told before its name is resolved, as when somebody registers it.
     *
     * @throws RefusedDestinationException if not
     */
    public void check(URI uri) throws RefusedDestinationException {
        destination(uri);
    }

    Destination destination(URI uri) throws RefusedDestinationException {
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        boolean plain = scheme.equals("http");
        if (!plain && !scheme.equals("https")) {
            throw new RefusedDestinationException("only https URLs are called, and http ones that the operator lists");
        }
        if (uri.getRawUserInfo() != null
                || uri.getRawAuthority() != null && uri.getRawAuthority().indexOf('@') >= 0) {
            throw new RefusedDestinationException("a URL that is called holds no user and no password");
        }
        if (uri.getHost() == null || uri.getPort() == 0 || uri.getPort() > 65_535) {
            throw new RefusedDestinationException("the URL names no host and port that can be called");
        }
        Destination to;
        try {
            to = new Destination(plain, name(uri.getHost()), uri.getPort() < 0 ? plain ? 80 : HTTPS : uri.getPort());
        } catch (IllegalArgumentException e) {
            throw new RefusedDestinationException("the URL cannot be called: " + e.getMessage());
        }
        if (hosts.stream().noneMatch(host -> host.covers(to))) {
            throw new RefusedDestinationException(
                    to + " is not among the outbound destinations that the operator allows");
        }
        return to;
    }

    /** Refuses a destination if one of its addresses may not be connected to, so that a mixed answer gains nothing. */
    void check(Destination to, List<InetAddress> addresses) throws RefusedDestinationException {
        for (InetAddress address : addresses) {
            @Nullable String special = Network.special(address);
            if (special != null && networks.stream().noneMatch(range -> range.covers(address, to.port()))) {
                throw new RefusedDestinationException(to + " leads to " + address.getHostAddress() + " (" + special
                        + "), which the operator has not listed");
            }
        }
    }
}
