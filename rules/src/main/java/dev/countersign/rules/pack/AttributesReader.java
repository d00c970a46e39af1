package dev.countersign.rules.pack;

import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Precedence;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.SourcePath;
import dev.countersign.rules.facts.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code entities:} and {@code attributes:} of a manifest. */
final class AttributesReader {
    private static final Set<String> RESERVED = Set.of(
            "true",
            "false",
            "null",
            "in",
            "not",
            "matches",
            "contains",
            "memberOf",
            "str",
            "rule",
            "when",
            "then",
            "end",
            "package",
            "import",
            "global",
            "param",
            "list",
            "count",
            "hoursSince",
            "cidr",
            "glob",
            "decision");
    private static final Set<String> ROOTS =
            Set.of("subject", "action", "resource", "context", "arguments", "entities");
    private static final Pattern REFERENCE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final String ENTITIES = "entities.";

    private final BiFunction<String, @Nullable String, @Nullable Type> types;
    private final BiConsumer<String, String> errors;
    private final Map<String, Reference> references = new LinkedHashMap<>();

    /**
     * @param types the type that a member has by that word, or {@code null} once it has reported that there is none
     * @param errors takes a member's name and what is wrong with it
     */
    AttributesReader(BiFunction<String, @Nullable String, @Nullable Type> types, BiConsumer<String, String> errors) {
        this.types = types;
        this.errors = errors;
    }

    List<Attribute> read(Map<String, Manifest.Ent> entities, Map<String, Manifest.Attr> attributes) {
        entities.forEach(this::reference);
        var out = new ArrayList<Attribute>();
        attributes.forEach((name, attr) -> {
            Attribute attribute = attribute(name, attr);
            if (attribute != null) {
                out.add(attribute);
            }
        });
        return out;
    }

    private void reference(String name, Manifest.@Nullable Ent ent) {
        String type = ent == null ? null : ent.type();
        String id = ent == null ? null : ent.id();
        if (!REFERENCE.matcher(name).matches() || ROOTS.contains(name)) {
            errors.accept(
                    name, "`" + name + "` is not a name for an entity: a word, and not the start of another path");
        } else if (type == null || !EntityKey.valid(type)) {
            errors.accept(name, "the entity `" + name + "` needs a `type:`");
        } else if (id == null) {
            errors.accept(name, "the entity `" + name + "` needs `id:` with a path such as arguments." + name + "_id");
        } else {
            reference(name, type, id);
        }
    }

    private void reference(String name, String type, String id) {
        boolean rooted = ROOTS.contains(id.split("\\.", 2)[0]);
        SourcePath path = SourcePath.parse(rooted ? id : ENTITIES + id, references);
        if (path == null || path.many()) {
            errors.accept(
                    name,
                    "the `id:` of the entity `" + name
                            + "` is not the path of one value that starts from the request or from an entity above it");
            return;
        }
        var reference = new Reference(name, type, new Attribute(name, Type.TEXT, path, null, usual(path)));
        if (reference.depth() > Reference.MAX_DEPTH) {
            errors.accept(name, "the entity `" + name + "` is more than " + Reference.MAX_DEPTH + " references away");
            return;
        }
        references.put(name, reference);
    }

    private @Nullable Attribute attribute(String name, Manifest.@Nullable Attr attr) {
        Type type = attr == null ? null : types.apply(name, attr.type());
        String written = attr == null ? null : attr.from();
        SourcePath from = written == null ? null : SourcePath.parse(written, references);
        if (!ManifestReader.NAME.matcher(name).matches()) {
            errors.accept(name, "`" + name + "` is not a bare or dotted name");
        } else if (RESERVED.contains(name.split("\\.", 2)[0])) {
            errors.accept(name, "`" + name + "` starts with a word of the rule language");
        } else if (BuiltIn.all().stream().anyMatch(field -> field.name().equals(name))) {
            errors.accept(name, "`" + name + "` is a built-in field and cannot be declared again");
        } else if (from == null && written != null && written.startsWith(ENTITIES)) {
            errors.accept(
                    name,
                    "`from:` of `" + name + "` needs the name of an entity declared under `entities:` and a "
                            + "member, such as entities.booking.cabin");
        } else if (attr == null || from == null) {
            errors.accept(name, "`" + name + "` needs `from:` with a path such as context.region");
        } else if (from.many() && type != null && type != Type.LIST) {
            errors.accept(name, "`" + name + "` reads many values, so its type is list");
        } else {
            Precedence precedence = precedence(name, attr.precedence(), from);
            return type == null || precedence == null ? null : new Attribute(name, type, from, null, precedence);
        }
        return null;
    }

    /** Of the relations of a subject and of what a call names, only the store's word counts. */
    private static Precedence usual(SourcePath path) {
        return path.root() == SourcePath.Root.ENTITIES || path.relation() ? Precedence.STORE : Precedence.CALLER;
    }

    private @Nullable Precedence precedence(String name, @Nullable String word, SourcePath from) {
        if (word == null) {
            return usual(from);
        }
        if (!word.equals("caller") && !word.equals("store")) {
            errors.accept(name, "`precedence:` of `" + name + "` is caller or store");
            return null;
        }
        Precedence precedence = Precedence.valueOf(word.toUpperCase(Locale.ROOT));
        if (precedence == Precedence.STORE && !from.storable()) {
            errors.accept(
                    name,
                    "`" + name + "` can have `precedence: store` only where it reads a member of "
                            + "subject.properties or resource.properties");
            return null;
        }
        if (precedence == Precedence.CALLER && usual(from) == Precedence.STORE) {
            errors.accept(
                    name,
                    "`" + name + "` always has `precedence: store`: callers are not believed about "
                            + (from.root() == SourcePath.Root.ENTITIES
                                    ? "stored entities"
                                    : "roles, groups, owner and delegates"));
            return null;
        }
        return precedence;
    }
}
