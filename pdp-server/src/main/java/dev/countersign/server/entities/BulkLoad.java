package dev.countersign.server.entities;

import dev.countersign.rules.entities.EntityData;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.EntityKey;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One load of many entities, as lines of JSON. Parts of it follow one another: each is read, then stored in a transaction of
 * its own. What is wrong with a line is remembered and keeps none of the others out. Not for several threads at once.
 */
public final class BulkLoad {
    /** The longest line, in bytes. */
    public static final int MAX_LINE = 1 << 20;

    /** How many mistakes are remembered; others are only counted. */
    public static final int MAX_MISTAKES = 100;

    /** A line that was refused, from 1, and why. */
    public record Mistake(long line, String message) {}

    /**
     * The good lines of a part.
     *
     * @param data the entities; of those that stand there twice the last
     * @param at the lines of each
     * @param lines how many lines they take
     */
    public record Part(Map<EntityKey, EntityData> data, Map<EntityKey, List<Long>> at, int lines) {}

    private final EntityStore store;
    private final String tenant;
    private final boolean relations;
    private final String by;
    private final List<Mistake> mistakes = new ArrayList<>();
    private long lines;
    private long stored;
    private long refused;

    /**
     * A load that has not begun.
     *
     * @param tenant the tenant whose entities they are
     * @param relations whether the caller may change relations; if not, lines that would are refused
     * @param by the visible prefix of the key that loads them
     */
    public BulkLoad(EntityStore store, String tenant, boolean relations, String by) {
        this.store = store;
        this.tenant = tenant;
        this.relations = relations;
        this.by = by;
    }

    /** Reads whole lines. It takes its time: not for an event loop. */
    public Part read(byte[] text) {
        var data = new LinkedHashMap<EntityKey, EntityData>();
        var at = new HashMap<EntityKey, List<Long>>();
        int good = 0;
        for (int from = 0; from < text.length; ) {
            int end = from;
            while (end < text.length && text[end] != '\n') {
                end++;
            }
            lines++;
            byte[] line = Arrays.copyOfRange(text, from, end);
            from = end + 1;
            if (blank(line)) {
                continue;
            }
            if (line.length > MAX_LINE) {
                tooLong(lines);
                continue;
            }
            try {
                EntityData.Named entity = EntityData.line(line);
                data.put(entity.key(), entity.data());
                at.computeIfAbsent(entity.key(), none -> new ArrayList<>()).add(lines);
                good++;
            } catch (BadCall e) {
                refuse(lines, String.valueOf(e.getMessage()));
            }
        }
        return new Part(data, at, good);
    }

    private static boolean blank(byte[] line) {
        for (byte b : line) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    /** Counts a line that was too long to be kept. */
    public void tooLong() {
        tooLong(++lines);
    }

    private void tooLong(long line) {
        refuse(line, "a line has at most " + MAX_LINE + " bytes");
    }

    private void refuse(long line, String why) {
        refused++;
        if (mistakes.size() < MAX_MISTAKES) {
            mistakes.add(new Mistake(line, why));
        }
    }

    /**
     * Stores what was read.
     *
     * @return done when it is committed and this server judges by it; failed if either is not sure
     */
    public Future<Void> write(Part part) {
        if (part.data().isEmpty()) {
            return Future.succeededFuture();
        }
        return store.putAll(tenant, part.data(), relations, by).map(stayed -> {
            List<Long> out = stayed.stream()
                    .flatMap(key -> part.at().getOrDefault(key, List.of()).stream())
                    .toList();
            stored += part.lines() - out.size();
            out.forEach(line -> refuse(line, "only the role admin changes roles, groups, owner and delegates"));
            return null;
        });
    }

    /** How many lines were read. */
    public long lines() {
        return lines;
    }

    /** How many of them hold what is stored now, or was until a later line. */
    public long stored() {
        return stored;
    }

    /** How many of them were refused. */
    public long refused() {
        return refused;
    }

    /** Why, of the first of them, by line. */
    public List<Mistake> mistakes() {
        return mistakes.stream().sorted(Comparator.comparingLong(Mistake::line)).toList();
    }
}
