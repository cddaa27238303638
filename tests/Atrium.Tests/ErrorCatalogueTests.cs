using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Atrium.Tests;

/// <summary>Every failure has an id that can be looked up, and every id that can be looked up is a failure.</summary>
public sealed partial class ErrorCatalogueTests
{
    [Fact]
    public void Every_error_id_in_the_source_is_in_the_catalogue_once_and_the_other_way_round()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Atrium.slnx")))
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("The tests run inside the repository.");
        string[] used =
        [
            .. Directory.EnumerateFiles(Path.Combine(root, "src"), "*.*", SearchOption.AllDirectories)
                .Where(static path => Path.GetExtension(path) is ".cs" or ".razor" && !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
                .SelectMany(static path => ErrorId().Matches(File.ReadAllText(path)).Select(static match => match.Value))
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
        string[] listed =
        [
            .. File.ReadLines(Path.Combine(root, "docs", "errors.md"))
                .Where(static line => line.StartsWith("| ATR", StringComparison.Ordinal))
                .Select(static line => ErrorId().Match(line).Value),
        ];
        listed.ShouldBe(used);
    }

    [GeneratedRegex("ATR[0-9]{4}")]
    private static partial Regex ErrorId();
}
