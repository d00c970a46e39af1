package dev.countersign.rules.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MatrixTest {
    private static List<String> mistakes(String cases) {
        return Suites.mistakes(Suites.HEAD + cases);
    }

    @Test
    void everyCombinationIsACaseAndWhatIsNotListedMustBeDenied() {
        List<CaseResult> results = Suites.run("""
              - name: who
                matrix: {subject: [agent, user], resource.id: [t-1, rm], context.region: [eu, us]}
                expect:
                  agent t-1 eu: allow
                  user t-1 eu: {decision: allow, matched: [allow]}
            """);

        assertThat(results)
                .extracting(result -> result.scenario().name())
                .containsExactly(
                        "who [agent t-1 eu]",
                        "who [agent t-1 us]",
                        "who [agent rm eu]",
                        "who [agent rm us]",
                        "who [user t-1 eu]",
                        "who [user t-1 us]",
                        "who [user rm eu]",
                        "who [user rm us]");
        assertThat(results).allMatch(CaseResult::passed);
    }

    @Test
    void aCellThatIsAllowedAndNotListedFails() {
        List<CaseResult> results = Suites.run("""
              - name: who
                matrix: {subject: [agent, user], action: [pay]}
                expect: {agent: allow}
            """);

        assertThat(results).extracting(CaseResult::passed).containsExactly(true, false);
        assertThat(results.get(1).failures())
                .extracting(Failure::line)
                .containsExactly("expected decision deny, got allow");
    }

    @Test
    void mistakesInAMatrixAreSaidWithTheirLine() {
        assertThat(mistakes("""
              - name: who
                matrix: {subject: [agent, user], region: [eu]}
                expect: {agent: allow}
            """)).first().asString().contains(":12:").contains("`region` is no axis");
        assertThat(mistakes("""
              - name: who
                matrix: {subject: [agent, user]}
                expect: {agnet: allow}
            """)).first().asString().contains("no cell `agnet`").contains("did you mean `agent`?");
        assertThat(mistakes("""
              - name: who
                matrix: {subject: [agent, {type: user, id: u}]}
                expect: {agent: allow}
            """)).first().asString().contains("`subject` must be a list of texts");
        assertThat(mistakes("""
              - name: who
                matrix: {subject: [agent]}
            """)).first().asString().contains("an `expect:` by cell");
        assertThat(mistakes("""
              - name: who
                matrix: {subject: [agent, agent]}
                expect: {agent: allow}
            """)).first().asString().contains("two cells of the matrix are called `agent`");
        assertThat(mistakes("""
              - name: who
                matrix: {subject: [agent, nobody]}
                expect: {agent: allow}
            """)).first().asString().contains("no subject fixture is named `nobody`");
        assertThat(mistakes("""
              - name: who
                matrix: {subject: [agent]}
                table: {columns: [subject], rows: [[agent]]}
                expect: {agent: allow}
            """)).first().asString().contains("a table or a matrix");
        assertThat(mistakes("""
              - name: who
                matrix: {subject: [agent]}
                expect: {agent: alow}
            """)).first().asString().contains("there is no decision `alow`");
    }
}
