package dev.countersign.rules.boundary;

import dev.countersign.rules.facts.Cidr;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Texts around a pattern: some that match it and some that nearly do. Which do is for the pattern to say. */
final class Samples {
    private static final int MOST = 24;

    private Samples() {}

    /** Texts around a pattern with {@code *}. */
    static List<String> glob(String pattern) {
        return near(List.of(pattern.replace("*", ""), pattern.replace("*", "x")));
    }

    /** Texts around one that others start or end with. */
    static List<String> affix(String text) {
        return near(List.of(text));
    }

    /** Texts around an expression in RE2 syntax; a sample, and maybe one in which nothing matches. */
    static List<String> regex(String regex) {
        return near(new RegexSampler(regex).samples());
    }

    private static List<String> near(List<String> texts) {
        var out = new LinkedHashSet<>(texts);
        for (String text : texts) {
            out.add(text + "x");
            out.add("x" + text);
            if (!text.isEmpty()) {
                out.add(text.substring(0, text.length() - 1));
                out.add(text.substring(1));
            }
        }
        return out.stream().limit(MOST).toList();
    }

    /** The first and last address of a block, the addresses just outside, and a text that is none. */
    static List<String> cidr(String block) {
        Set<String> out = new LinkedHashSet<>();
        int slash = block.indexOf('/');
        byte[] address = bytes(block.substring(0, slash));
        int prefix = Integer.parseInt(block.substring(slash + 1));
        if (address != null && Cidr.parse(block) != null) {
            int free = Math.max(0, address.length * 8 - prefix);
            BigInteger size = BigInteger.ONE.shiftLeft(free);
            BigInteger first = new BigInteger(1, address).shiftRight(free).shiftLeft(free);
            for (BigInteger number : List.of(
                    first, first.add(size).subtract(BigInteger.ONE), first.subtract(BigInteger.ONE), first.add(size))) {
                String text = text(number, address.length);
                if (text != null) {
                    out.add(text);
                }
            }
        }
        out.add("no address");
        return List.copyOf(new ArrayList<>(out));
    }

    private static byte @Nullable [] bytes(String literal) {
        try {
            return InetAddress.getByName(literal).getAddress(); // a literal: no name is looked up
        } catch (UnknownHostException e) {
            return null;
        }
    }

    private static @Nullable String text(BigInteger number, int length) {
        byte[] all = number.toByteArray();
        byte[] bytes = new byte[length];
        int from = Math.max(0, all.length - length);
        if (number.signum() < 0 || number.bitLength() > length * 8) {
            return null;
        }
        byte[] tail = Arrays.copyOfRange(all, from, all.length);
        System.arraycopy(tail, 0, bytes, length - tail.length, tail.length);
        try {
            return InetAddress.getByAddress(bytes).getHostAddress();
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
