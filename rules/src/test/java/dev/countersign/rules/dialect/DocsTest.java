package dev.countersign.rules.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.facts.BuiltIn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class DocsTest {
    private static List<String[]> rows(String page, String after, Predicate<String> wanted) throws IOException {
        String text = Files.readString(Path.of("../docs", page));
        return text.substring(text.indexOf(after))
                .lines()
                .takeWhile(line -> !line.startsWith("## ") || line.equals(after))
                .filter(line -> line.startsWith("| ") && wanted.test(line))
                .map(line -> line.substring(2, line.length() - 2).split(" \\| "))
                .toList();
    }

    @Test
    void theTableOfDiagnosticsListsEveryCodeInOrderWithItsMeaning() throws IOException {
        List<String[]> rows = rows("diagnostics.md", "# Diagnostics", line -> line.matches("\\| [A-Z]\\d{3} .*"));
        assertThat(rows)
                .extracting(row -> row[0] + " " + row[1])
                .isEqualTo(Arrays.stream(Code.values())
                        .map(code -> code + " " + code.title())
                        .toList());
        assertThat(rows).allSatisfy(row -> assertThat(row[3]).isNotBlank());
    }

    @Test
    void theGuideListsEveryBuiltInFieldWithItsTypeSourceAndPresence() throws IOException {
        List<String[]> rows = rows("rule-language.md", "## Built-in fields", line -> line.startsWith("| `"));
        assertThat(rows)
                .extracting(row -> row[0] + " " + row[1])
                .isEqualTo(BuiltIn.all().stream()
                        .map(field -> "`" + field.name() + "` " + field.type().word())
                        .toList());
        for (int i = 0; i < rows.size(); i++) {
            var field = BuiltIn.all().get(i);
            assertThat(rows.get(i)[3].equals("always there")).as(field.name()).isEqualTo(field.required());
            if (field.source() != null) {
                assertThat(rows.get(i)[2])
                        .as(field.name())
                        .endsWith("`" + field.source().text() + "`");
            }
        }
    }
}
