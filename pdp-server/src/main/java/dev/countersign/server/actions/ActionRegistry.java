package dev.countersign.server.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Registered;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The registered actions of a tenant, of one moment, with their schemas made ready. Immutable. */
public final class ActionRegistry {
    /** The registry of a tenant that has none. */
    public static final ActionRegistry NONE = new ActionRegistry(Map.of());

    private static final List<String> CLAIMS = List.of("class", "reversible");
    private static final int BYTES_PER_ACTION = 1_000;
    /** Made ready, a schema takes far more memory than its text. */
    private static final int BYTES_PER_COST = 2_000;

    private record Entry(Action action, @Nullable ArgumentsSchema schema, Registered fits) {
        static Entry of(Action action) {
            return new Entry(
                    action,
                    action.schema() == null ? null : ArgumentsSchema.of(action.schema()),
                    registered(action, List.of()));
        }

        Registered of(Call call) {
            List<String> unfit = schema == null ? List.of() : schema.unfit(arguments(call));
            return unfit.isEmpty() ? fits : registered(action, unfit);
        }

        private static Registered registered(Action action, List<String> unfit) {
            return new Registered(
                    action.version(), action.actionClass().word(), action.reversible(), action.risk(), unfit);
        }
    }

    private final Map<String, Entry> entries;

    private ActionRegistry(Map<String, Entry> entries) {
        this.entries = entries;
    }

    /**
     * The registry of these actions.
     *
     * @param before what is known so far; schemas of actions that are the same are not made ready again
     */
    public static ActionRegistry of(Collection<Action> actions, ActionRegistry before) {
        if (actions.isEmpty()) {
            return NONE;
        }
        var entries = new HashMap<String, Entry>();
        for (Action action : actions) {
            Entry known = before.entries.get(action.name());
            entries.put(action.name(), known != null && known.action().equals(action) ? known : Entry.of(action));
        }
        return new ActionRegistry(entries);
    }

    /** The registry with another entry of that name, or with none. */
    public ActionRegistry with(String name, @Nullable Action action) {
        var other = new HashMap<>(entries);
        if (action == null) {
            other.remove(name);
        } else {
            other.put(name, Entry.of(action));
        }
        return new ActionRegistry(other);
    }

    /** The action of that name, or {@code null} if it is not registered. */
    public @Nullable Action find(String name) {
        Entry found = entries.get(name);
        return found == null ? null : found.action();
    }

    /** The call with what the registry says of its action; the call itself if the action is not registered. */
    public Call resolve(Call call) {
        if (entries.isEmpty()) {
            return call;
        }
        Entry found = entries.get(call.actionName());
        return found == null ? call : call.with(found.of(call));
    }

    /**
     * What the schema is asked about. Of what is no tool the arguments stand beside the claims about the action, which are
     * no arguments.
     */
    private static @Nullable JsonNode arguments(Call call) {
        JsonNode arguments = call.arguments();
        return !call.toolCall()
                        && arguments instanceof ObjectNode members
                        && CLAIMS.stream().anyMatch(members::has)
                ? members.objectNode().<ObjectNode>setAll(members).remove(CLAIMS)
                : arguments;
    }

    /** In words, what the other registry loosens, by action; empty if nothing. */
    public Map<String, List<String>> loosenedBy(ActionRegistry after) {
        var names = new TreeSet<>(entries.keySet());
        names.addAll(after.entries.keySet());
        var loosened = new TreeMap<String, List<String>>();
        for (String name : names) {
            List<String> found = Loosening.of(find(name), after.find(name));
            if (!found.isEmpty()) {
                loosened.put(name, found);
            }
        }
        return loosened;
    }

    /** The actions whose schema cannot be used: all their calls are refused. */
    public List<String> unusable() {
        return entries.values().stream()
                .filter(entry -> entry.schema() != null && !entry.schema().usable())
                .map(entry -> entry.action().name())
                .sorted()
                .toList();
    }

    /** About how many bytes of memory it takes. */
    public long weight() {
        return entries.values().stream()
                .mapToLong(entry -> BYTES_PER_ACTION
                        + (entry.schema() == null
                                ? 0
                                : (long) BYTES_PER_COST * entry.schema().cost()))
                .sum();
    }
}
