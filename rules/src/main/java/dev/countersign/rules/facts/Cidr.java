package dev.countersign.rules.facts;

import org.jspecify.annotations.Nullable;

/** A block of IPv4 or IPv6 addresses in CIDR notation (RFC 4632, RFC 4291). */
public final class Cidr {
    private final byte[] network;
    private final int prefix;

    private Cidr(byte[] network, int prefix) {
        this.network = network;
        this.prefix = prefix;
    }

    /** The block that {@code text} writes, or {@code null} if it writes none. No name is ever looked up. */
    public static @Nullable Cidr parse(String text) {
        int slash = text.indexOf('/');
        byte[] network = slash < 0 ? null : address(text.substring(0, slash));
        if (network == null || !text.substring(slash + 1).matches("[0-9]{1,3}")) {
            return null;
        }
        int prefix = Integer.parseInt(text.substring(slash + 1));
        return prefix > network.length * 8 ? null : new Cidr(network, prefix);
    }

    /** Whether {@code text} is an address of this block; {@code null} if it is no address at all. */
    public @Nullable Boolean contains(String text) {
        byte[] address = address(text);
        if (address == null) {
            return null;
        }
        if (address.length != network.length) {
            return false;
        }
        for (int bit = 0; bit < prefix; bit++) {
            int mask = 0x80 >> (bit & 7);
            if ((address[bit >> 3] & mask) != (network[bit >> 3] & mask)) {
                return false;
            }
        }
        return true;
    }

    private static byte @Nullable [] address(String text) {
        return text.indexOf(':') >= 0 ? v6(text) : v4(text);
    }

    private static byte @Nullable [] v4(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            return null;
        }
        byte[] out = new byte[4];
        for (int i = 0; i < 4; i++) {
            if (!parts[i].matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(parts[i]) > 255) {
                return null;
            }
            out[i] = (byte) Integer.parseInt(parts[i]);
        }
        return out;
    }

    private static byte @Nullable [] v6(String text) {
        int gap = text.indexOf("::");
        if (gap != text.lastIndexOf("::")) {
            return null;
        }
        String[] head = groups(gap < 0 ? text : text.substring(0, gap));
        String[] tail = gap < 0 ? new String[0] : groups(text.substring(gap + 2));
        int given = head.length + tail.length;
        if (gap < 0 ? given != 8 : given > 7) {
            return null;
        }
        byte[] out = new byte[16];
        return put(head, out, 0) && put(tail, out, 16 - 2 * tail.length) ? mapped(out) : null;
    }

    private static String[] groups(String text) {
        return text.isEmpty() ? new String[0] : text.split(":", -1);
    }

    private static boolean put(String[] groups, byte[] out, int at) {
        for (int i = 0; i < groups.length; i++) {
            if (!groups[i].matches("[0-9A-Fa-f]{1,4}")) {
                return false;
            }
            int value = Integer.parseInt(groups[i], 16);
            out[at + 2 * i] = (byte) (value >> 8);
            out[at + 2 * i + 1] = (byte) value;
        }
        return true;
    }

    /** An IPv4-mapped address (::ffff:a.b.c.d in hex) is the IPv4 address it maps, or it would slip past a v4 block. */
    private static byte[] mapped(byte[] v6) {
        for (int i = 0; i < 10; i++) {
            if (v6[i] != 0) {
                return v6;
            }
        }
        return v6[10] == -1 && v6[11] == -1 ? java.util.Arrays.copyOfRange(v6, 12, 16) : v6;
    }
}
