package dev.countersign.rules.pack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.Packs;
import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PackReaderTest {
    private static final String RULES = "package test\nrule \"r\" when Request() then decision.allow(\"X\"); end\n";

    private static List<Diagnostic> read(Path place) {
        var diagnostics = new Diagnostics();
        new PackReader(diagnostics).read(List.of(place));
        return diagnostics.all();
    }

    private static List<Diagnostic> manifest(String manifest) {
        var diagnostics = new Diagnostics();
        new PackReader(diagnostics).read("", Map.of("pack.yaml", manifest, "rules.drl", RULES));
        return diagnostics.all();
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"one/rules/deny.drl", "one/DENY.DRL", "two/deny.drl", "two/pack.yml", "deny.drl"})
    void aFileThatLooksLikeRulesAndThatNoPackReadsIsAMistake(String stray, @TempDir Path folder) throws IOException {
        write(folder.resolve("one/pack.yaml"), Packs.MANIFEST);
        write(folder.resolve("one/rules.drl"), RULES);
        assertThat(read(folder)).isEmpty();
        write(folder.resolve(stray), "rule");
        assertThat(read(folder))
                .singleElement()
                .satisfies(found ->
                        assertThat(found.file()).isEqualTo(folder.resolve(stray).toString()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DATABASE_URL",
                "COUNTERSIGN_HOST",
                "AWS_SECRET_ACCESS_KEY",
                "DB_PASSWORD",
                "GITHUB_TOKEN",
                "PGPASSWORD"
            })
    void aPackCannotReadASecretOutOfTheEnvironment(String variable) {
        assertThat(manifest("name: test\nlists:\n  leak: {default: [none], env: " + variable + "}\n"))
                .singleElement()
                .asString()
                .contains("pack.yaml:3:1")
                .contains("secret");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lists: {a: {default: [x, null]}} | empty entry",
                "approvals: {a: {stages: [{roles: [null]}], decide_within: 1h, use_within: 1h}} | roles",
                "approvals: {a: {stages: [{roles: [x], escalate: {after: 1h}}], decide_within: 2h, use_within: 1h}} | needs `to:`",
                "approvals: {a: {stages: [{roles: [x], escalate: {after: 1h, to: [' y']}}], decide_within: 2h, use_within: 1h}} | no role",
                "approvals: {a: {stages: [{roles: [x], escalate: {after: 1h, to: [null]}}], decide_within: 2h, use_within: 1h}} | no role",
                "approvals: {a: {stages: [{roles: [x], escalate: {after: soon, to: [y]}}], decide_within: 2h, use_within: 1h}} | escalate.after",
                "approvals: {a: {stages: [{roles: [x], escalate: {after: 2h, to: [y]}}], decide_within: 2h, use_within: 1h}} | never reached",
                "approvals: {a: {stages: [{roles: [x], escalate: {after: 1h, to: [y, x]}}], decide_within: 2h, use_within: 1h}} | adds nobody",
                "approvals: {a: {stages: [{roles: [x], escalate: {in: 1h, to: [y]}}], decide_within: 2h, use_within: 1h}} | in",
                "params: {a: {type: number, default: x}} | default",
                "params: {a: {type: nmber, default: 1}} | type",
                "attributes: {a: {type: text}} | from",
                "attributes: {a: {type: text, from: 'context.x[*]'}} | list",
                "attributes: {action: {type: text, from: context.x}} | built-in",
                "colour: red | colour",
            })
    void aMistakeInTheManifestIsADiagnosticAndNeverAnException(String line, String said) {
        assertThat(manifest("name: test\n" + line + "\n"))
                .isNotEmpty()
                .first()
                .asString()
                .contains(said);
    }

    @Test
    void aStageSaysToWhomItEscalatesAndWhen() {
        Pack read = new PackReader(new Diagnostics()).read("", Map.of("pack.yaml", """
                        name: test
                        approvals:
                          a:
                            stages: [{roles: [x], escalate: {after: 30m, to: [y, z]}}, {roles: [x]}]
                            decide_within: 1h
                            use_within: 5m
                        """));
        var stages = read.templates().get("a").stages();
        assertThat(stages.get(0).escalate())
                .isEqualTo(new ApprovalTemplate.Escalation(java.time.Duration.ofMinutes(30), List.of("y", "z")));
        assertThat(stages.get(1).escalate()).isNull();
    }

    @Test
    void theDigestChangesWithEveryFileOfThePack() {
        var diagnostics = new Diagnostics();
        var reader = new PackReader(diagnostics);
        Pack one = reader.read("", Map.of("pack.yaml", Packs.MANIFEST, "a.drl", RULES));
        Pack other = reader.read("", Map.of("pack.yaml", Packs.MANIFEST, "b.drl", RULES));
        assertThat(one.digest()).isNotEqualTo(other.digest()).hasSize(64);
        assertThat(reader.read("", Map.of("pack.yaml", Packs.MANIFEST, "a.drl", RULES))
                        .digest())
                .isEqualTo(one.digest());
    }
}
