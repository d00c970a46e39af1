package dev.countersign.rules.scenarios;

import dev.countersign.rules.facts.Call;
import java.time.Instant;
import java.util.Map;

/**
 * One case: a request, and what must come of it.
 *
 * @param suite the suite's name
 * @param name the case's name, with {@code [row n]} for a row of a table
 * @param file the file it stands in
 * @param line the line it starts on
 * @param tenant the tenant that asks
 * @param clock the instant of the decision
 * @param settings the tenant's values of parameters and lists, by name
 * @param call what is asked
 * @param expect what must come of it
 */
public record Scenario(
        String suite,
        String name,
        String file,
        int line,
        String tenant,
        Instant clock,
        Map<String, Object> settings,
        Call call,
        Expectation expect) {}
