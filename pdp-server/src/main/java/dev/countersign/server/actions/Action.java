package dev.countersign.server.actions;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An entry of a tenant's registry.
 *
 * @param name the name of the action, as requests have it
 * @param actionClass what kind of thing it does
 * @param reversible whether what it does can be undone
 * @param risk the risk of a decision for which no rule names one: low, medium, high or critical
 * @param owner who answers for it
 * @param description what it does, for people
 * @param schema the JSON Schema (draft 2020-12) of its arguments
 * @param advisory JSON Pointers or names of arguments that the digest of an approval leaves out
 * @param volatileContext members of the context that the digest of an approval leaves out
 * @param version how often it was changed
 */
public record Action(
        String name,
        ActionClass actionClass,
        boolean reversible,
        String risk,
        @Nullable String owner,
        @Nullable String description,
        @Nullable JsonNode schema,
        List<String> advisory,
        List<String> volatileContext,
        long version) {
    /** The same at another version. */
    public Action at(long other) {
        return new Action(
                name, actionClass, reversible, risk, owner, description, schema, advisory, volatileContext, other);
    }
}
