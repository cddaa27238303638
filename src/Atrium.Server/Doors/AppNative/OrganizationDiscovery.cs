using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Storage;

namespace Atrium.Server.Doors.AppNative;

/// <summary>What a request says about the organization; a blank value says nothing.</summary>
/// <param name="IsAttempt">Whether one of the naming parameters was there, if only blank. The discovery type alone names nothing.</param>
public sealed record NamedOrganization(string? Id, string? Name, string? Handle, string? Hint, string? DiscoveryType, bool IsAttempt)
{
    public const string IdParameter = "orgId";
    public const string NameParameter = "org";
    public const string HandleParameter = "orgHandle";
    public const string HintParameter = "login_hint";
    public const string DiscoveryTypeParameter = "orgDiscoveryType";

    public bool IsNamed => (Id ?? Name ?? Handle ?? Hint) is not null;

    /// <param name="read">The value of a parameter; null when it was not sent.</param>
    public static NamedOrganization From(Func<string, string?> read)
    {
        string? id = read(IdParameter);
        string? name = read(NameParameter);
        string? handle = read(HandleParameter);
        string? hint = read(HintParameter);
        return new(
            NotBlank(id), NotBlank(name), NotBlank(handle), NotBlank(hint), NotBlank(read(DiscoveryTypeParameter)), (id ?? name ?? handle ?? hint) is not null);

        static string? NotBlank(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
    }
}

/// <summary>Where the search for the organization ended: at one that may be entered, at a reason (a message key of the contract), or it was not asked for.</summary>
public readonly record struct DiscoveredOrganization(Id<Organization>? Organization, string? FailureKey);

/// <summary>
/// Finds the organization that a person names (wire contract, sections 3.3 and 3.4). Only the realm's own organizations are ever looked at, so one
/// of another realm and one that does not exist are the same.
/// </summary>
public sealed class OrganizationDiscovery(OrganizationStore organizations)
{
    private const string EmailDomain = "emailDomain";
    public const string Unusable = "invalid.organization";
    private const string NotShared = "organization.not.associated.with.application";

    /// <summary>An answer to the organization prompt: whatever was named must be found.</summary>
    public async Task<DiscoveredOrganization> FindAsync(Client client, NamedOrganization named, CancellationToken cancellationToken)
    {
        if (!named.IsNamed)
            return new(null, "organization.discovery.failure");
        if (named.Id is { } id)
            return await JudgeAsync(client, await ByIdAsync(client, id, cancellationToken), named, cancellationToken);
        if (named.Hint is { } hint)
        {
            return (named.DiscoveryType ?? EmailDomain) == EmailDomain
                ? await JudgeAsync(client, await ByDomainAsync(client, hint, cancellationToken), named, cancellationToken)
                : new(null, "invalid.organization.discovery.type");
        }

        Organization? found = named.Handle is { } handle
            ? await organizations.FindByHandleAsync(client.RealmId, handle, cancellationToken)
            : await organizations.FindByNameAsync(client.RealmId, named.Name!, cancellationToken);
        return await JudgeAsync(client, found, named, cancellationToken);
    }

    /// <summary>
    /// The parameters of an authorization request. There <c>login_hint</c> first of all says who the person is (OpenID Connect Core section 3.1.2.1):
    /// it leads to an organization only if its domain is somebody's, and never past one that is named beside it, unless the request says that it shall
    /// be discovered by it.
    /// </summary>
    public async Task<DiscoveredOrganization> FindAtStartAsync(Client client, NamedOrganization named, CancellationToken cancellationToken)
    {
        if (named.Hint is { } hint && named.Id is null && (named.DiscoveryType ?? EmailDomain) == EmailDomain)
        {
            Organization? owner = await ByDomainAsync(client, hint, cancellationToken);
            DiscoveredOrganization byHint = await JudgeAsync(client, owner, named, cancellationToken);
            bool isOnlyAHint = named.DiscoveryType is null
                ? byHint.Organization is null || (named.Handle ?? named.Name) is not null
                : owner is null;
            if (!isOnlyAHint)
                return byHint;
            named = named with { Hint = null };
        }

        return named.IsNamed ? await FindAsync(client, named, cancellationToken) : default;
    }

    private async Task<Organization?> ByIdAsync(Client client, string id, CancellationToken cancellationToken) =>
        Id<Organization>.TryParse(id, out Id<Organization> parsed) ? await organizations.FindAsync(client.RealmId, parsed, cancellationToken) : null;

    private async Task<Organization?> ByDomainAsync(Client client, string hint, CancellationToken cancellationToken) =>
        EmailAddress.DomainOf(hint) is { } domain ? await organizations.FindByDomainAsync(client.RealmId, domain, cancellationToken) : null;

    private async Task<DiscoveredOrganization> JudgeAsync(Client client, Organization? found, NamedOrganization named, CancellationToken cancellationToken)
    {
        if (found is null)
        {
            return new(null, named switch
            {
                { Handle: not null } => "invalid.organization.handle",
                { Name: not null } => "invalid.organization.name",
                _ => Unusable,
            });
        }

        if (found.Status != OrganizationStatus.Active)
            return new(null, Unusable);

        // Tokens that the client may not have are better not signed in for.
        return client.Settings.Restrictions.Organizations.Allows(found.Id) && await organizations.IsSharedAsync(client, found.Id, cancellationToken)
            ? new(found.Id, null)
            : new(null, NotShared);
    }
}
