package dev.countersign.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.countersign.server");

    @Test
    void somethingIsLookedAt() {
        assertThat(CLASSES.size()).isGreaterThan(50);
    }

    @Test
    void packagesDependOnEachOtherInOneDirection() {
        slices().matching("dev.countersign.server.(*)..")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    @Test
    void theServerKnowsRulesAndNotTheirEngine() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.drools..", "org.kie..")
                .check(CLASSES);
    }

    @Test
    void nothingThatAnswersRequestsTalksSql() {
        noClasses()
                .that()
                .resideInAnyPackage("..server.http..", "..server.metrics..", "..server.config..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.vertx.sqlclient..", "io.vertx.pgclient..", "java.sql..", "org.postgresql..")
                .check(CLASSES);
    }

    @Test
    void jdbcIsForCopyMigrationAndExportAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        "..server.decisionlog..", "..server.postgres..", "..server.cli..", "dev.countersign.server")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.sql..", "org.postgresql..")
                .check(CLASSES);
    }

    @Test
    void oneDoorLeadsOut() {
        noClasses()
                .that()
                .resideOutsideOfPackages("..server.egress..", "..server.cli..")
                .should()
                .dependOnClassesThat()
                .haveNameMatching("io\\.vertx\\.core\\.http\\.(HttpClient|WebSocketClient).*"
                        + "|java\\.net\\.http\\.(HttpClient|HttpRequest).*|java\\.net\\.HttpURLConnection")
                .check(CLASSES);
    }

    @Test
    void onlyCommandsPrint() {
        noClasses()
                .that()
                .resideOutsideOfPackage("..server.cli..")
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .check(CLASSES);
    }

    @Test
    void timeAndChanceArePassedIn() {
        noClasses()
                .that()
                .resideOutsideOfPackages("..server.cli..")
                .should()
                .callMethod(java.time.Instant.class, "now")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(java.util.UUID.class, "randomUUID")
                .orShould()
                .callMethod(Math.class, "random")
                .check(CLASSES);
    }

    @Test
    void noSourceFileIsOver400Lines() throws IOException {
        try (var files = Files.walk(Path.of(".."))) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.toString().contains("/target/"))
                    .toList();
            assertThat(sources).hasSizeGreaterThan(100);
            for (Path source : sources) {
                assertThat(Files.readAllLines(source)).as(source.toString()).hasSizeLessThanOrEqualTo(400);
            }
        }
    }
}
