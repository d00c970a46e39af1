package dev.countersign.server.packs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.entities.EntityFiles;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.rules.scenarios.ScenarioReader;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The files of a pack as they were uploaded, by name. They never become files here.
 *
 * @param texts their texts
 */
public record PackFiles(Map<String, String> texts) {
    /** The most files of one pack. */
    public static final int MAX_FILES = 200;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_SHOWN = 100;
    private static final String STEM = "[A-Za-z0-9][A-Za-z0-9._-]{0,80}";
    private static final Pattern NAME = Pattern.compile(Pattern.quote(PackReader.MANIFEST)
            + "|" + STEM + "\\.(drl|md)"
            + "|" + ScenarioReader.FOLDER + "/" + STEM + "\\.yaml"
            + "|" + EntityFiles.FOLDER + "/" + STEM + Pattern.quote(EntityFiles.SUFFIX));

    /** Why files are not those of a pack; the message is for who uploads them. */
    public static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String message) {
            super(message, null, false, false);
        }
    }

    /** The files that JSON holds: texts by name. */
    public static PackFiles of(@Nullable JsonNode files) throws Unfit {
        if (files == null || !files.isObject() || files.isEmpty()) {
            throw new Unfit("`files` is an object of texts by file name, with a `" + PackReader.MANIFEST + "`");
        }
        if (files.size() > MAX_FILES) {
            throw new Unfit("a pack has at most " + MAX_FILES + " files");
        }
        var texts = new TreeMap<String, String>();
        for (Map.Entry<String, JsonNode> file : files.properties()) {
            String name = file.getKey();
            if (!NAME.matcher(name).matches()) {
                throw new Unfit("`" + (name.length() > LONGEST_SHOWN ? name.substring(0, LONGEST_SHOWN) + "..." : name)
                        + "` is no file of a pack: there are pack.yaml, *.drl, *.md, scenarios/*.yaml and entities/*.jsonl,"
                        + " named with letters, digits, dots, dashes and underscores");
            }
            if (!file.getValue().isTextual()) {
                throw new Unfit("`" + name + "` is not a text");
            }
            texts.put(name, file.getValue().textValue());
        }
        return new PackFiles(Collections.unmodifiableMap(texts));
    }

    static PackFiles parse(String json) throws JsonProcessingException, Unfit {
        return of(JSON.readTree(json));
    }

    /** They as JSON. */
    public String json() {
        return JSON.valueToTree(texts).toString();
    }

    /** The pack that they make; {@code null} if they have mistakes. */
    @Nullable
    Pack pack() {
        var diagnostics = new Diagnostics();
        Pack pack = read(diagnostics);
        return diagnostics.hasErrors() ? null : pack;
    }

    /** The pack that they make as far as it can be read; what is wrong is told to {@code diagnostics}. */
    @Nullable
    Pack read(Diagnostics diagnostics) {
        var judging = new TreeMap<>(texts);
        judging.keySet()
                .removeIf(name ->
                        !name.equals(PackReader.MANIFEST) && !name.endsWith(".drl") && !EntityFiles.isOne(name));
        return new PackReader(diagnostics).read("", judging);
    }
}
