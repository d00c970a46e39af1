package dev.countersign.rules.entities;

import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The entities that packs carry, for every tenant alike and beneath its own. Each is held as the bytes of its line and
 * read anew whenever it is asked for. Immutable.
 */
public final class PackEntities {
    /** None at all. */
    public static final PackEntities NONE = new PackEntities(new TreeMap<>());

    /** A line that was read without a mistake. */
    static final class Line {
        private final String pack;
        private final byte[] json;

        Line(String pack, byte[] json) {
            this.pack = pack;
            this.json = json;
        }
    }

    private final NavigableMap<EntityKey, Line> lines;

    PackEntities(NavigableMap<EntityKey, Line> lines) {
        this.lines = lines;
    }

    /**
     * All of these together.
     *
     * @throws IllegalArgumentException if two packs carry one entity: it could not be told which is meant
     */
    public static PackEntities union(Collection<PackEntities> parts) {
        var all = new TreeMap<EntityKey, Line>();
        for (PackEntities part : parts) {
            part.lines.forEach((key, line) -> {
                Line other = all.putIfAbsent(key, line);
                if (other != null) {
                    throw new IllegalArgumentException(conflict(key, other.pack, line.pack));
                }
            });
        }
        return all.isEmpty() ? NONE : new PackEntities(all);
    }

    private static String conflict(EntityKey key, String one, String other) {
        return "the packs `" + one + "` and `" + other + "` both carry the entity `" + key + "`";
    }

    /** What keeps these from standing beside others, for people to read; empty if nothing does. */
    public List<String> conflicts(PackEntities others) {
        return lines.entrySet().stream()
                .filter(entry -> others.lines.containsKey(entry.getKey()))
                .map(entry -> {
                    Line other = others.lines.get(entry.getKey());
                    return conflict(entry.getKey(), other == null ? "" : other.pack, entry.getValue().pack);
                })
                .limit(10)
                .toList();
    }

    /** How many there are. */
    public int size() {
        return lines.size();
    }

    /** What there is under a name. */
    public Found find(EntityKey key) {
        Line line = lines.get(key);
        return line == null
                ? Found.Nothing.UNKNOWN
                : new Found.Entity(key, data(line).properties(), 0, line.pack);
    }

    /** What there is under each of these names. */
    public Map<EntityKey, Found> find(Set<EntityKey> keys) {
        var out = new HashMap<EntityKey, Found>();
        keys.forEach(key -> out.put(key, find(key)));
        return out;
    }

    /** One of them as it was written, with the pack that carries it. */
    public record Carried(EntityKey key, EntityData data, String pack) {}

    /** The one under a name as it was written, or {@code null}. */
    public @Nullable Carried carried(EntityKey key) {
        Line line = lines.get(key);
        return line == null ? null : new Carried(key, data(line), line.pack);
    }

    /** The first {@code limit} of a type, by id, from the one after {@code after} on. */
    public List<Carried> page(String type, String after, int limit) {
        return lines.tailMap(new EntityKey(type, after), false).entrySet().stream()
                .takeWhile(entry -> entry.getKey().type().equals(type))
                .limit(limit)
                .map(entry -> new Carried(entry.getKey(), data(entry.getValue()), entry.getValue().pack))
                .toList();
    }

    private static EntityData data(Line line) {
        try {
            return EntityData.line(line.json).data();
        } catch (BadCall e) {
            throw new IllegalStateException("a line that was read before", e);
        }
    }
}
