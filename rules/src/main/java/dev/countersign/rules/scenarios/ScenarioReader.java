package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the suites of a pack: the files {@code scenarios/*.yaml} in its folder. What the format does not know is refused
 * with file and line, so that a misspelt demand cannot pass for a kept one.
 */
public final class ScenarioReader {
    /** The folder, inside a pack's folder, that holds the suites. */
    public static final String FOLDER = "scenarios";

    private static final String SHARED = FOLDER + "/fixtures.yaml";

    private final Pack pack;
    private final Diagnostics diagnostics;

    /** A reader for the suites of {@code pack} that reports mistakes to {@code diagnostics}. */
    public ScenarioReader(Pack pack, Diagnostics diagnostics) {
        this.pack = pack;
        this.diagnostics = diagnostics;
    }

    /**
     * The suites in a pack's folder, by file name; none if there are none. What is returned is complete only if nothing
     * was reported.
     *
     * @throws UncheckedIOException if a file cannot be read
     */
    public List<Suite> read(Path folder) {
        Path scenarios = folder.resolve(FOLDER);
        if (!Files.isDirectory(scenarios)) {
            return List.of();
        }
        var texts = new TreeMap<String, String>();
        try (var entries = Files.list(scenarios)) {
            for (Path entry : entries.sorted().toList()) {
                String name = FOLDER + "/" + entry.getFileName();
                if (name.endsWith(".yml")) {
                    mistakes(folder.toString(), name).error(1, "a scenario file's name ends in .yaml");
                } else if (name.endsWith(".yaml")) {
                    texts.put(name, decode(folder, name, Files.readAllBytes(entry)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return read(folder.toString(), texts);
    }

    private String decode(Path folder, String name, byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            mistakes(folder.toString(), name).error(1, "the file is not UTF-8");
            return "";
        }
    }

    /**
     * The suites that these files make, by file name.
     *
     * @param place what diagnostics put before a file's name
     * @param texts the files' texts by name, such as {@code scenarios/payments.yaml}; names outside the folder do not
     *     count
     */
    public List<Suite> read(String place, Map<String, String> texts) {
        Fixtures shared = shared(place, texts.get(SHARED));
        var suites = new ArrayList<Suite>();
        var files = new HashMap<String, String>();
        new TreeMap<>(texts).forEach((name, text) -> {
            if (!name.startsWith(FOLDER + "/") || !name.endsWith(".yaml") || name.equals(SHARED)) {
                return;
            }
            Mistakes mistakes = mistakes(place, name);
            Yaml root = parse(mistakes, text);
            Suite suite = root == null ? null : new SuiteReader(mistakes, pack, shared).read(root);
            if (suite != null) {
                String other = files.putIfAbsent(suite.name(), name);
                if (other != null) {
                    mistakes.error(1, "there is another suite `" + suite.name() + "` in " + other);
                }
                suites.add(suite);
            }
        });
        return List.copyOf(suites);
    }

    private Fixtures shared(String place, @Nullable String text) {
        if (text == null) {
            return Fixtures.NONE;
        }
        Mistakes mistakes = mistakes(place, SHARED);
        Yaml root = parse(mistakes, text);
        return root == null
                ? Fixtures.NONE
                : Fixtures.NONE.with(
                        mistakes.object(root, "fixtures.yaml", List.of("fixtures"))
                                .get("fixtures"),
                        mistakes);
    }

    private static @Nullable Yaml parse(Mistakes mistakes, String text) {
        try {
            return Yaml.parse(text);
        } catch (Yaml.Malformed e) {
            mistakes.error(e.line, String.valueOf(e.getMessage()));
            return null;
        }
    }

    private Mistakes mistakes(String place, String name) {
        return new Mistakes(place.isEmpty() ? name : place + "/" + name, diagnostics);
    }
}
