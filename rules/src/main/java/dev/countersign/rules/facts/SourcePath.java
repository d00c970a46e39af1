package dev.countersign.rules.facts;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The one place in a request from which an attribute is read: a root ({@code subject}, {@code action},
 * {@code resource}, {@code context} or {@code arguments}) and member names, where {@code [*]} after a member means
 * every element of that array. Nothing falls through to another place, so nobody shadows a checked value.
 *
 * @param text the path as it is written in {@code pack.yaml}
 * @param root the first name
 * @param steps the member names after the root; {@code "*"} for every element
 */
public record SourcePath(String text, Root root, List<String> steps) {
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
        ARGUMENTS
    }

    private static final String EVERY = "*";
    private static final Pattern SHAPE = Pattern.compile(
            "(subject|action|resource|context|arguments)((?:\\.[A-Za-z_][A-Za-z0-9_-]*(?:\\[\\*\\])*){1,8})");

    /** The path that {@code text} writes, or {@code null} if it does not write one. */
    public static @Nullable SourcePath parse(String text) {
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
        return new SourcePath(
                text, Root.valueOf(match.group(1).toUpperCase(java.util.Locale.ROOT)), List.copyOf(steps));
    }

    /** Whether the path reads every element of some array, so that only a list can hold what it yields. */
    public boolean many() {
        return steps.contains(EVERY);
    }

    /**
     * What stands at this path in {@code call}: the node, {@code null} if there is none (or JSON null), or
     * {@link Unavailable} if something on the way is not an object or array as the path says it is. Paths with
     * {@code [*]} yield a {@code List} of nodes, in which {@code null} marks an element without the member.
     */
    public @Nullable Object read(Call call) {
        return walk(call.root(root), 0);
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
