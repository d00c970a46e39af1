package dev.countersign.server.actions;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What of a change of an entry could let more through, whatever the rules are; such a change takes a second person.
 *
 * <table>
 * <caption>What counts</caption>
 * <tr><th>what changes</th><th>a second person</th><th>because</th></tr>
 * <tr><td>an entry is taken away</td><td>yes</td><td>callers are believed again, and nothing checks the arguments</td></tr>
 * <tr><td>the class of an entry</td><td>yes</td><td>rules of the one class no longer apply</td></tr>
 * <tr><td>a first entry: its class</td><td>not here</td><td>it depends on the rules that read the class, which are looked at
 * where changes are compared</td></tr>
 * <tr><td>reversible becomes true, in a first entry too</td><td>yes</td><td>callers that said otherwise are overruled</td></tr>
 * <tr><td>reversible becomes false</td><td>no</td><td>rules restrict what cannot be undone</td></tr>
 * <tr><td>a schema where there was none</td><td>no</td><td>it can only refuse</td></tr>
 * <tr><td>a schema changes or is taken away</td><td>yes</td><td>whether it takes more than before is not decided here</td></tr>
 * <tr><td>advisory or volatile_context take in more, in a first entry too</td><td>yes</td><td>approvals bind less</td></tr>
 * <tr><td>advisory or volatile_context take in less</td><td>no</td><td>approvals bind more</td></tr>
 * <tr><td>risk, owner, description</td><td>no</td><td>no rule reads them</td></tr>
 * </table>
 */
final class Loosening {
    private Loosening() {}

    /** In words, what a change loosens; empty if nothing. Either is null where there is no entry. */
    static List<String> of(@Nullable Action before, @Nullable Action after) {
        if (after == null) {
            return before == null ? List.of() : List.of("the entry is taken away");
        }
        var found = new ArrayList<String>();
        if (before != null && before.actionClass() != after.actionClass()) {
            found.add("the class is " + after.actionClass().word() + " instead of "
                    + before.actionClass().word());
        }
        if (after.reversible() && (before == null || !before.reversible())) {
            found.add("it is reversible");
        }
        if (before != null && before.schema() != null && !Objects.equals(before.schema(), after.schema())) {
            found.add(after.schema() == null ? "arguments_schema is taken away" : "arguments_schema is another");
        }
        extended("advisory", before == null ? List.of() : before.advisory(), after.advisory(), found);
        extended(
                "volatile_context",
                before == null ? List.of() : before.volatileContext(),
                after.volatileContext(),
                found);
        return found;
    }

    private static void extended(String what, List<String> before, List<String> after, List<String> found) {
        var known = new HashSet<>(before);
        String more = after.stream().filter(each -> !known.contains(each)).collect(Collectors.joining(", "));
        if (!more.isEmpty()) {
            found.add(what + " takes in " + more);
        }
    }
}
