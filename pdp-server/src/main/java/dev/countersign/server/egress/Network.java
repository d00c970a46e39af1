package dev.countersign.server.egress;

import java.math.BigInteger;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A range of addresses, of which IPv4 and IPv6 ones have nothing in common.
 *
 * @param first its first address
 * @param prefix how many of the leading bits its addresses share
 */
record Network(InetAddress first, int prefix) {
    private static final Pattern DOTTED = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern NUMERIC = Pattern.compile("(?i)(.*\\.)?(\\d+|0x[0-9a-f]*)");

    private record Special(Network network, String meaning) {}

    /** IANA's special-purpose registries, multicast, and the forms in which IPv6 carries IPv4. */
    private static final List<Special> SPECIAL = List.of(
            special("0.0.0.0/8", "unspecified"),
            special("10.0.0.0/8", "private"),
            special("100.64.0.0/10", "shared by carriers"),
            special("127.0.0.0/8", "loopback"),
            special("169.254.0.0/16", "link-local"),
            special("172.16.0.0/12", "private"),
            special("192.0.0.0/24", "protocol assignments"),
            special("192.0.2.0/24", "documentation"),
            special("192.88.99.0/24", "6to4 relay"),
            special("192.168.0.0/16", "private"),
            special("198.18.0.0/15", "benchmarking"),
            special("198.51.100.0/24", "documentation"),
            special("203.0.113.0/24", "documentation"),
            special("224.0.0.0/4", "multicast"),
            special("240.0.0.0/4", "reserved"),
            special("::/128", "unspecified"),
            special("::1/128", "loopback"),
            special("64:ff9b::/96", "IPv4 in IPv6"),
            special("2001::/23", "protocol assignments"),
            special("2001:db8::/32", "documentation"),
            special("2002::/16", "IPv4 in IPv6"),
            special("3fff::/20", "documentation"),
            special("fc00::/7", "private"),
            special("fe80::/10", "link-local"),
            special("fec0::/10", "site-local"),
            special("ff00::/8", "multicast"));

    private static final Network GLOBAL_IPV6 = parse("2000::/3");

    private static Special special(String network, String meaning) {
        return new Special(parse(network), network + ", " + meaning);
    }

    /** The special range that an address is in, in words, or {@code null} if it is one of the public internet. */
    static @Nullable String special(InetAddress address) {
        for (Special each : SPECIAL) {
            if (each.network.contains(address)) {
                return each.meaning;
            }
        }
        return address instanceof Inet4Address || GLOBAL_IPV6.contains(address) ? null : "outside 2000::/3";
    }

    /**
     * The range that a text such as {@code 10.0.0.0/8} or {@code fd00::/8} writes.
     *
     * @throws IllegalArgumentException if it is none, or has bits set beyond the prefix
     */
    static Network parse(String text) {
        int slash = text.indexOf('/');
        InetAddress first = literal(text.substring(0, slash));
        String bits = text.substring(slash + 1);
        if (first == null || !bits.matches("\\d{1,3}")) {
            throw new IllegalArgumentException("it is neither a network such as 10.0.0.0/8 nor a host without a path");
        }
        int prefix = Integer.parseInt(bits);
        int length = first.getAddress().length * 8;
        if (prefix > length) {
            throw new IllegalArgumentException("its prefix is longer than " + length + " bits");
        }
        if (new BigInteger(1, first.getAddress()).getLowestSetBit() >= 0
                && new BigInteger(1, first.getAddress()).getLowestSetBit() < length - prefix) {
            throw new IllegalArgumentException("it has bits set beyond its prefix");
        }
        return new Network(first, prefix);
    }

    /** The address that a text writes, without or with the brackets of IPv6; {@code null} if it is a name. */
    static @Nullable InetAddress literal(String text) {
        String bare = text.startsWith("[") && text.endsWith("]") ? text.substring(1, text.length() - 1) : text;
        if (!DOTTED.matcher(bare).matches() && (bare.indexOf(':') < 0 || bare.indexOf('%') >= 0)) {
            return null;
        }
        try {
            return InetAddress.getByName(bare);
        } catch (UnknownHostException notAnAddress) {
            return null;
        }
    }

    /** Whether a text that is no address could be taken for one, as {@code 127.1} or {@code 0x7f000001}. */
    static boolean almostLiteral(String host) {
        return literal(host) == null
                && (host.indexOf(':') >= 0 || NUMERIC.matcher(host).matches());
    }

    boolean contains(InetAddress address) {
        byte[] mine = first.getAddress();
        byte[] other = address.getAddress();
        return mine.length == other.length
                && new BigInteger(1, mine)
                                .xor(new BigInteger(1, other))
                                .shiftRight(mine.length * 8 - prefix)
                                .signum()
                        == 0;
    }

    @Override
    public String toString() {
        return first.getHostAddress() + "/" + prefix;
    }
}
