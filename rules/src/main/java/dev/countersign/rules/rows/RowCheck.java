package dev.countersign.rules.rows;

import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.rows.PolicyRow.Scope;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Checks the columns of a row other than {@code rule_expr}. */
final class RowCheck {
    /** The longest id and pattern, in UTF-16 units: patterns are matched with what requests hold. */
    private static final int MAX_PATTERN = 256;

    private static final int MAX_NAME = 120;
    private static final int MAX_TEXT = 1_000;
    private static final Pattern ID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private final List<JsonMistake> mistakes;

    private RowCheck(List<JsonMistake> mistakes) {
        this.mistakes = mistakes;
    }

    static void check(PolicyRow row, List<JsonMistake> mistakes) {
        var check = new RowCheck(mistakes);
        if (!ID.matcher(row.id()).matches()) {
            check.refuse("/id", "an id is a UUID in lower case", null);
        }
        check.text("/name", row.name(), MAX_NAME);
        check.text("/description", row.description(), MAX_TEXT);
        check.text("/reason", row.reason(), MAX_TEXT);
        check.text("/owner", row.owner(), MAX_PATTERN);
        check.text("/scope_ref", row.scopeRef(), MAX_PATTERN);
        check.text("/action_pattern", row.actionPattern(), MAX_PATTERN);
        check.text("/resource_pattern", row.resourcePattern(), MAX_PATTERN);
        check.scope(row);
        check.owner(row);
        check.resource(row.resourcePattern());
    }

    private void scope(PolicyRow row) {
        Scope scope = row.scope();
        if (row.tenant() == null && (scope == Scope.TENANT || scope.personal())) {
            refuse("/scope", "a policy of the operator is of scope global, app, tool or workflow", null);
        } else if (row.tenant() != null && scope == Scope.GLOBAL) {
            refuse("/scope", "a policy of a tenant cannot be of scope global", "use the scope `tenant`");
        }
        if (scope.referring() && row.scopeRef() == null) {
            refuse("/scope_ref", "the scope " + scope.word() + " needs the one that it means", null);
        } else if (!scope.referring() && row.scopeRef() != null) {
            refuse("/scope_ref", "the scope " + scope.word() + " needs no reference", "remove it");
        }
        if (scope.referring() && row.scopeRef() != null && Glob.isPattern(row.scopeRef()) && !row.byDefault()) {
            refuse(
                    "/scope_ref",
                    "a reference is no pattern",
                    scope == Scope.USER ? "only `*` alone stands for every user" : "use the scope `tenant`");
        }
    }

    private void owner(PolicyRow row) {
        if (row.scope() != Scope.USER || row.owner() == null) {
            return;
        }
        if (row.byDefault()) {
            refuse("/owner", "the default set of the tenant has no owner", "remove it");
        } else if (!row.owner().equals(row.scopeRef())) {
            refuse(
                    "/owner",
                    "a policy of one user cannot be owned by another",
                    "it counts only for its owner's own requests");
        }
    }

    private void resource(@Nullable String pattern) {
        if (pattern == null || pattern.equals("*")) {
            return;
        }
        int slash = pattern.indexOf('/');
        if (slash <= 0 || slash == pattern.length() - 1) {
            refuse("/resource_pattern", "a resource is written `type/id`", "`tool/*` is every tool, `*` is anything");
        }
    }

    private void text(String pointer, @Nullable String text, int longest) {
        if (text == null) {
            return;
        }
        if (text.isBlank()) {
            refuse(pointer, "this is empty", pointer.equals("/name") ? "give it a name" : "leave it out");
            return;
        }
        JsonMistake refused = JsonMistake.of(pointer, text);
        if (refused != null) {
            mistakes.add(refused);
        } else if (text.length() > longest) {
            mistakes.add(new JsonMistake(pointer, Code.S006, "at most " + longest + " characters fit here", null));
        }
    }

    private void refuse(String pointer, String message, @Nullable String hint) {
        mistakes.add(new JsonMistake(pointer, Code.J001, message, hint));
    }
}
