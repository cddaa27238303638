using System.Reflection;
using Atrium.Core;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Architecture;

/// <summary>The arrows of the house point one way: Server, Storage, Core.</summary>
public sealed class DependencyTests
{
    private static readonly Assembly Core = typeof(Secret).Assembly;
    private static readonly Assembly Storage = typeof(Database).Assembly;
    private static readonly Assembly Server = typeof(AtriumServer).Assembly;

    [Fact]
    public void Core_references_the_base_library_and_nothing_else()
    {
        string[] allowed =
        [
            "System.Runtime", "System.Collections", "System.Linq", "System.Memory", "System.Net.Mail", "System.Net.Primitives",
            "System.Security.Cryptography", "System.Threading", "System.Text.Json", "System.Text.Encodings.Web",
            "System.ComponentModel.Primitives",
        ];
        ReferencesOf(Core).Except(allowed, StringComparer.Ordinal)
            .Where(static name => !name.StartsWith("System.Text.", StringComparison.Ordinal)
                && !name.StartsWith("System.Collections.", StringComparison.Ordinal)
                && !name.StartsWith("System.Runtime", StringComparison.Ordinal))
            .ShouldBeEmpty("a decision needs no web, no SQL and no I/O");
    }

    [Fact]
    public void Core_has_no_type_of_a_database_or_a_network_in_its_signatures()
    {
        IEnumerable<string> outside = Core.GetTypes()
            .SelectMany(static type => TypesIn(type).Select(used => (type, used)))
            .Where(static pair => pair.used.Namespace is { } name
                && (name.StartsWith("System.Data", StringComparison.Ordinal)
                    || name.StartsWith("System.Net.Http", StringComparison.Ordinal)
                    || name.StartsWith("Microsoft.", StringComparison.Ordinal)
                    || name.StartsWith("Dapper", StringComparison.Ordinal)))
            .Where(static pair => pair.used.Namespace != "Microsoft.CodeAnalysis")
            .Select(static pair => $"{pair.type} uses {pair.used}");
        outside.ShouldBeEmpty();
    }

    [Fact]
    public void Storage_references_Core_and_data_packages_only()
    {
        ReferencesOf(Storage)
            .Where(static name => !name.StartsWith("System.", StringComparison.Ordinal))
            .ShouldBeSubsetOf(["Atrium.Core", "Dapper", "Microsoft.Data.Sqlite", "Npgsql", "SQLitePCLRaw.core"]);
        ReferencesOf(Storage).ShouldContain("Atrium.Core");
    }

    [Fact]
    public void Nothing_points_back()
    {
        ReferencesOf(Core).ShouldNotContain(static name => name.StartsWith("Atrium.", StringComparison.Ordinal));
        ReferencesOf(Storage).ShouldNotContain("Atrium.Server");
        ReferencesOf(Server).ShouldContain("Atrium.Storage");
    }

    [Fact]
    public void The_server_has_no_SQL_of_its_own() => ReferencesOf(Server).ShouldNotContain("Dapper");

    private static string[] ReferencesOf(Assembly assembly) => [.. assembly.GetReferencedAssemblies().Select(static name => name.Name!)];

    private static IEnumerable<Type> TypesIn(Type type)
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        return type.GetFields(all).Select(static field => field.FieldType)
            .Concat(type.GetProperties(all).Select(static property => property.PropertyType))
            .Concat(type.GetMethods(all).SelectMany(static method => method.GetParameters().Select(static p => p.ParameterType).Append(method.ReturnType)))
            .Concat(type.GetInterfaces())
            .Append(type.BaseType)
            .OfType<Type>();
    }
}
