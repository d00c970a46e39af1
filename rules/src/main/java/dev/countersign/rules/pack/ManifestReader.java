package dev.countersign.rules.pack;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.NamedList;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Type;
import dev.countersign.rules.facts.Vocabulary;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code pack.yaml} into the names that a pack declares, with a diagnostic for every mistake. */
final class ManifestReader {
    private static final ObjectMapper YAML = YAMLMapper.builder(YAMLFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .build();
    private static final Pattern PACK = Pattern.compile("[a-z][a-z0-9-]{0,62}");
    static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*){0,4}");
    private static final Pattern ENV = Pattern.compile("[A-Z][A-Z0-9_]{0,63}");
    private static final Pattern SECRET = Pattern.compile(
            "^(DATABASE_URL|REDIS_URL|PUBLIC_URL|COUNTERSIGN_.*)$|SECRET|PASSW|TOKEN|KEY|CREDENTIAL|PRIVATE");

    private final String file;
    private final String text;
    private final Diagnostics diagnostics;

    ManifestReader(String file, String text, Diagnostics diagnostics) {
        this.file = file;
        this.text = text;
        this.diagnostics = diagnostics;
    }

    /** The pack without its rules, or {@code null} if the manifest cannot be read at all. */
    @Nullable
    Pack read(String digest) {
        Manifest manifest;
        try {
            manifest = YAML.readValue(text, Manifest.class);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            error(at == null ? 1 : at.getLineNr(), at == null ? 1 : at.getColumnNr(), e.getOriginalMessage());
            return null;
        }
        if (manifest == null
                || manifest.name() == null
                || !PACK.matcher(manifest.name()).matches()) {
            error(line("name"), 1, "`name` is missing or not lower-case letters, digits and dashes");
            return null;
        }
        String name = manifest.name();
        Map<String, ApprovalTemplate> templates =
                new TemplatesReader(this::errorAt).read(orEmpty(manifest.approvals()));
        Map<String, Param> params = params(name, orEmpty(manifest.params()));
        Map<String, NamedList> lists = lists(name, orEmpty(manifest.lists()));
        for (String both : lists.keySet()) {
            if (params.remove(both) != null) {
                error(
                        line(both),
                        1,
                        "`" + both + "` is declared as a parameter and as a list; a tenant sets one value");
            }
        }
        var attributes = new AttributesReader(this::type, this::errorAt)
                .read(orEmpty(manifest.entities()), orEmpty(manifest.attributes()));
        var vocabulary = Vocabulary.of(name, attributes, params, lists, templates.keySet());
        return new Pack(
                name,
                manifest.version() == null ? "0" : manifest.version(),
                manifest.description() == null ? "" : manifest.description(),
                digest,
                vocabulary,
                templates,
                List.of(),
                bar(manifest.tests()),
                PackEntities.NONE);
    }

    private void errorAt(String member, String message) {
        error(line(member), 1, message);
    }

    private Map<String, Param> params(String pack, Map<String, Manifest.Par> declared) {
        var out = new LinkedHashMap<String, Param>();
        declared.forEach((name, par) -> {
            Type type = par == null ? null : type(name, par.type());
            if (par == null || type == null || !name(name) || !env(name, par.env())) {
                return;
            }
            JsonNode value = par.value();
            try {
                if (value == null || !value.isValueNode() || value.isNull()) {
                    throw new IllegalArgumentException("it is missing");
                }
                boolean fits = type == Type.TEXT || type == Type.TIME
                        ? value.isTextual()
                        : type == Type.NUMBER ? value.isNumber() : value.isBoolean();
                if (!fits) {
                    throw new IllegalArgumentException("it is no " + type.word());
                }
                String description = orEmpty(par.description());
                var untyped = new Param(pack, name, type, "", par.env(), description);
                out.put(name, new Param(pack, name, type, untyped.parse(value.asText()), par.env(), description));
            } catch (IllegalArgumentException e) {
                error(
                        line(name),
                        1,
                        "`" + name + "` needs a `default:` that is a " + type.word() + ": " + e.getMessage());
            }
        });
        return out;
    }

    private Map<String, NamedList> lists(String pack, Map<String, Manifest.Lst> declared) {
        var out = new LinkedHashMap<String, NamedList>();
        declared.forEach((name, list) -> {
            if (list != null && name(name) && env(name, list.env())) {
                if (list.entries() != null && list.entries().contains(null)) {
                    error(line(name), 1, "the list `" + name + "` holds an empty entry");
                    return;
                }
                List<String> entries = list.entries() == null ? List.of() : List.copyOf(list.entries());
                out.put(name, new NamedList(pack, name, entries, list.env(), orEmpty(list.description())));
            } else if (list == null) {
                error(line(name), 1, "`" + name + "` needs a `default:`");
            }
        });
        return out;
    }

    private static Pack.Bar bar(Manifest.@Nullable Tests tests) {
        return tests == null
                ? new Pack.Bar(100, 80, 100, 0)
                : new Pack.Bar(
                        percent(tests.rules(), 100),
                        percent(tests.conditions(), 80),
                        percent(tests.needed(), 100),
                        percent(tests.mutants(), 0));
    }

    private static int percent(@Nullable Integer given, int otherwise) {
        return given == null ? otherwise : Math.max(0, Math.min(100, given));
    }

    private @Nullable Type type(String name, @Nullable String word) {
        for (Type type : Type.values()) {
            if (type.word().equals(word)) {
                return type;
            }
        }
        String known =
                String.join(", ", Arrays.stream(Type.values()).map(Type::word).toList());
        error(line(name), 1, "`" + name + "` needs a `type:` out of " + known);
        return null;
    }

    private boolean name(String name) {
        if (!NAME.matcher(name).matches()) {
            error(line(name), 1, "`" + name + "` is not a bare or dotted name");
            return false;
        }
        return true;
    }

    /** What a decision is judged by is in its record, so no pack may have a secret read into a value. */
    private boolean env(String name, @Nullable String variable) {
        if (variable != null && SECRET.matcher(variable).find()) {
            error(
                    line(name),
                    1,
                    "`env:` of `" + name + "` names a variable of the server or one that sounds like a secret");
            return false;
        }
        if (variable != null && !ENV.matcher(variable).matches()) {
            error(line(name), 1, "`env:` of `" + name + "` is not the name of an environment variable");
            return false;
        }
        return true;
    }

    /** The line on which a member's name first stands, or 1. */
    private int line(String member) {
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            String line = lines[i].strip().toLowerCase(Locale.ROOT);
            if (line.startsWith(member.toLowerCase(Locale.ROOT) + ":")) {
                return i + 1;
            }
        }
        return 1;
    }

    private void error(int line, int column, String message) {
        diagnostics.add(new Diagnostic(file, line, column, Code.Y001, message, null, null));
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }

    private static <V> Map<String, V> orEmpty(@Nullable Map<String, V> map) {
        return map == null ? Map.of() : map;
    }
}
