package dev.countersign.rules.entities;

import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.EntityKey;
import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads the entities of one pack, {@code entities/*.jsonl}, with a diagnostic for every line that is none. */
public final class EntityFiles {
    /** The folder, inside a pack's folder, that holds the files. */
    public static final String FOLDER = "entities";

    /** How the name of a file ends. */
    public static final String SUFFIX = ".jsonl";

    /** The most entities that a pack may carry. */
    public static final int MAX_ENTITIES = 100_000;

    /** The most bytes of a file. */
    public static final int MAX_BYTES = 32 << 20;

    private static final int MAX_SHOWN = 100;

    private final String pack;
    private final Diagnostics diagnostics;
    private final TreeMap<EntityKey, PackEntities.Line> lines = new TreeMap<>();

    /** A reader for the files of {@code pack} that reports mistakes to {@code diagnostics}. */
    public EntityFiles(String pack, Diagnostics diagnostics) {
        this.pack = pack;
        this.diagnostics = diagnostics;
    }

    /** Whether a file of a pack, named from the pack's folder, is read as entities. */
    public static boolean isOne(String name) {
        return name.startsWith(FOLDER + "/") && name.endsWith(SUFFIX);
    }

    /** Reads one file. */
    public void read(String file, String text) {
        int mistakes = 0;
        int number = 0;
        for (String line : (Iterable<String>) text.lines()::iterator) {
            number++;
            if (line.isBlank()) {
                continue;
            }
            String mistake = add(line.getBytes(StandardCharsets.UTF_8));
            if (mistake != null && ++mistakes <= MAX_SHOWN) {
                error(file, number, mistake);
            }
            if (lines.size() > MAX_ENTITIES) {
                error(file, number, "a pack carries at most " + MAX_ENTITIES + " entities: load more into the server");
                return;
            }
        }
    }

    private @Nullable String add(byte[] json) {
        try {
            EntityKey key = EntityData.line(json).key();
            return lines.putIfAbsent(key, new PackEntities.Line(pack, json)) == null
                    ? null
                    : "there is another entity `" + key + "` in this pack";
        } catch (BadCall e) {
            return String.valueOf(e.getMessage());
        }
    }

    private void error(String file, int line, String message) {
        diagnostics.add(new Diagnostic(file, line, 1, Code.Y003, message, null, null));
    }

    /** The entities that were read so far. */
    public PackEntities entities() {
        return lines.isEmpty() ? PackEntities.NONE : new PackEntities(new TreeMap<>(lines));
    }
}
