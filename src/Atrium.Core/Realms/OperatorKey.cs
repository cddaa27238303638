namespace Atrium.Core.Realms;

/// <summary>
/// The key of who runs the installation (<c>ok_...</c>). It makes, changes and deletes realms, and opens nothing inside of one. It is made on the
/// database's machine and nowhere else.
/// </summary>
public sealed record OperatorKey : IIdentified
{
    public static string IdPrefix => "opk_";

    /// <summary>What its secret begins with.</summary>
    public const string SecretPrefix = "ok_";

    public required Id<OperatorKey> Id { get; init; }

    public required string Name { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}
