package dev.countersign.rules.facts;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the tenant's registry of actions says of the action of one call: its word counts, whatever the caller claims in
 * {@code action.properties}. Immutable.
 *
 * @param version the version of the registry's entry
 * @param actionClass the class of the action
 * @param reversible whether what the action does can be undone
 * @param risk the risk of a decision for which no rule names one
 * @param unfit where the arguments of the call break the schema of the action, as JSON Pointers; empty if they fit it. A call
 *     with any is refused before a rule is asked
 */
public record Registered(long version, String actionClass, boolean reversible, String risk, List<String> unfit) {
    /**
     * What stands at {@code path} instead of what the caller put there; {@code null} if the registry has no say in it. Of what
     * is no tool the properties of the action are its arguments, so the same two go by another path, too.
     */
    @Nullable
    JsonNode at(SourcePath path, boolean toolCall) {
        return switch (path.text()) {
            case "action.properties.class" -> TextNode.valueOf(actionClass);
            case "action.properties.reversible" -> BooleanNode.valueOf(reversible);
            case "arguments.class" -> toolCall ? null : TextNode.valueOf(actionClass);
            case "arguments.reversible" -> toolCall ? null : BooleanNode.valueOf(reversible);
            default -> null;
        };
    }
}
