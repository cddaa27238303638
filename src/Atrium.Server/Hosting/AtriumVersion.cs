using System.Reflection;

namespace Atrium.Server.Hosting;

/// <summary>The version of this program.</summary>
public static class AtriumVersion
{
    /// <summary>As released, and after a plus sign what it was built from where that is known.</summary>
    public static string Text { get; } = typeof(AtriumVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
