package dev.countersign.rules.facts;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The one place in a request from which an attribute is read: a root ({@code subject}, {@code action},
 * {@code resource}, {@code context} or {@code arguments}) and member names, where {@code [*]} after a member means
 * every element of that array. Nothing falls through to another place, so nobody shadows a checked value. The root
 * {@code entities} and the name of a {@link Reference} start from what the store holds of that entity.
 *
 * @param text the path as it is written in {@code pack.yaml}
 * @param root the first name
 * @param reference the entity that the path starts from where the root is {@link Root#ENTITIES}, else {@code null}
 * @param steps the member names after the root, or after the reference's name; {@code "*"} for every element
 */
public record SourcePath(String text, Root root, @Nullable Reference reference, List<String> steps) {
    /** The parts of a call that a path may start from. */
    public enum Root {
        /** The whole {@code subject} object. */
        SUBJECT,
        /** The whole {@code action} object. */
        ACTION,
        /** The whole {@code resource} object. */
        RESOURCE,
        /** The whole {@code context} object. */
        CONTEXT,
        /** {@code resource.properties} where the resource is a tool, else {@code action.properties}. */
        ARGUMENTS,
        /** A stored entity that the call names. */
        ENTITIES
    }

    private static final String EVERY = "*";
    private static final Pattern SHAPE = Pattern.compile(
            "(subject|action|resource|context|arguments|entities)((?:\\.[A-Za-z_][A-Za-z0-9_-]*(?:\\[\\*\\])*){1,8})");

    private static final String PROPERTIES = "properties";
    private static final String ACTOR = "act";
    private static final Set<String> RELATIONS = Set.of("roles", "groups", "owner", "delegates");

    /** The path that {@code text} writes, or {@code null} if it does not write one; no reference is known. */
    public static @Nullable SourcePath parse(String text) {
        return parse(text, Map.of());
    }

    /**
     * The path that {@code text} writes, or {@code null} if it does not write one.
     *
     * @param references what may stand after {@code entities}, by name
     */
    public static @Nullable SourcePath parse(String text, Map<String, Reference> references) {
        var match = SHAPE.matcher(text);
        if (!match.matches()) {
            return null;
        }
        var steps = new ArrayList<String>();
        for (String part : match.group(2).substring(1).split("\\.", -1)) {
            int bracket = part.indexOf('[');
            steps.add(bracket < 0 ? part : part.substring(0, bracket));
            for (int at = bracket; at >= 0; at = part.indexOf('[', at + 1)) {
                steps.add(EVERY);
            }
        }
        Root root = Root.valueOf(match.group(1).toUpperCase(Locale.ROOT));
        if (root != Root.ENTITIES) {
            return new SourcePath(text, root, null, List.copyOf(steps));
        }
        Reference reference = references.get(steps.get(0));
        return reference == null || steps.size() < 2 || steps.get(1).equals(EVERY)
                ? null
                : new SourcePath(text, root, reference, List.copyOf(steps.subList(1, steps.size())));
    }

    /**
     * Whether the store may know what stands here: a property of the subject or the resource, or a reference's. Who acts for
     * the subject ({@code subject.properties.act}) is of the call alone.
     */
    public boolean storable() {
        return root == Root.ENTITIES
                || (root == Root.SUBJECT || root == Root.RESOURCE)
                        && steps.size() > 1
                        && steps.get(0).equals(PROPERTIES)
                        && !steps.get(1).equals(EVERY)
                        && !(root == Root.SUBJECT && steps.get(1).equals(ACTOR));
    }

    /** Whether this is a relation of the subject ({@code subject.properties.roles}), of which callers are not believed. */
    public boolean relation() {
        return root == Root.SUBJECT && storable() && RELATIONS.contains(steps.get(1));
    }

    /** Whether the path reads every element of some array, so that only a list can hold what it yields. */
    public boolean many() {
        return steps.contains(EVERY);
    }

    /**
     * What the caller put at this path in {@code call}: the node, {@code null} if there is none (or JSON null), or
     * {@link Unavailable} if something on the way is not an object or array as the path says it is. Paths with
     * {@code [*]} yield a {@code List} of nodes, in which {@code null} marks an element without the member.
     */
    public @Nullable Object read(Call call) {
        return walk(call.root(root), 0);
    }

    /**
     * What the store holds at this path for {@code call}, in the same form; {@link Unavailable} also if the store was not
     * asked or could not answer.
     */
    @Nullable
    Object stored(Call call) {
        Found found = found(call);
        return found instanceof Found.Entity entity
                ? walk(entity.properties(), root == Root.ENTITIES ? 0 : 1)
                : found == Found.Nothing.UNKNOWN ? null : Unavailable.VALUE;
    }

    private Found found(Call call) {
        if (root == Root.RESOURCE && call.toolCall()) {
            return Found.Nothing.UNKNOWN;
        }
        Stored stored = call.stored();
        if (stored == null) {
            return Found.Nothing.UNAVAILABLE;
        }
        return reference != null ? stored.of(reference) : root == Root.SUBJECT ? stored.subject() : stored.resource();
    }

    private @Nullable Object walk(@Nullable JsonNode node, int from) {
        for (int i = from; i < steps.size(); i++) {
            if (node == null || node.isNull()) {
                return null;
            }
            String step = steps.get(i);
            if (step.equals(EVERY)) {
                return node.isArray() ? every(node, i + 1) : Unavailable.VALUE;
            }
            if (!node.isObject()) {
                return Unavailable.VALUE;
            }
            node = node.get(step);
        }
        return node == null || node.isNull() ? null : node;
    }

    private List<@Nullable Object> every(JsonNode array, int from) {
        var out = new ArrayList<@Nullable Object>(array.size());
        for (JsonNode element : array) {
            Object value = walk(element, from);
            if (value instanceof List<?> nested) {
                out.addAll(nested);
            } else {
                out.add(value);
            }
        }
        return out;
    }
}
