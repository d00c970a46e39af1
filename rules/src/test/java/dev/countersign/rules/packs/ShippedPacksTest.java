package dev.countersign.rules.packs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.scenarios.PackTest;
import dev.countersign.rules.scenarios.PackTestResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ShippedPacksTest {
    static List<Path> packs() {
        return Shipped.folders();
    }

    @Test
    void theBasePackAndTheExamplesAreAmongTheShippedPacks() {
        assertThat(packs())
                .extracting(folder -> folder.getFileName().toString())
                .contains("base", "airline", "authzen-certification");
    }

    @ParameterizedTest
    @MethodSource("packs")
    void aShippedPackPassesTheGateWithoutAWarning(Path folder) {
        Pack pack = Shipped.pack(folder);
        assertThat(pack.rules()).isNotEmpty();
        assertThat(RuleBase.of(List.of(pack)).rules()).hasSameSizeAs(pack.rules());
    }

    @ParameterizedTest
    @MethodSource("packs")
    void aShippedPackPassesItsOwnScenariosAndReachesItsBar(Path folder) {
        PackTestResult result = PackTest.run(List.of(folder));
        assertThat(result.exitCode())
                .as(result.render(PackTestResult.Format.TEXT))
                .isZero();
        assertThat(result.diagnostics()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("packs")
    void aShippedPackSaysWhatItIsForAndWhyEachRuleIsThere(Path folder) throws IOException {
        Pack pack = Shipped.pack(folder);
        assertThat(pack.name()).isEqualTo(folder.getFileName().toString());
        assertThat(pack.description()).isNotEmpty();
        assertThat(pack.rules())
                .allSatisfy(rule -> assertThat(rule.reason()).as(rule.name()).isNotEmpty());
        String readme = Files.readString(folder.resolve("README.md"));
        assertThat(pack.rules())
                .extracting(Rule::name)
                .allSatisfy(name -> assertThat(readme).contains("`" + name + "`"));
        pack.vocabulary()
                .params()
                .values()
                .forEach(param ->
                        assertThat(readme).contains("`" + param.name() + "`").contains("`" + param.env() + "`"));
        pack.vocabulary().lists().values().forEach(list -> assertThat(readme).contains("`" + list.name() + "`"));
        assertThat(pack.vocabulary().lists().values().stream()
                        .filter(list -> list.env() != null)
                        .toList())
                .allSatisfy(list -> assertThat(readme).contains("`" + list.env() + "`"));
    }
}
