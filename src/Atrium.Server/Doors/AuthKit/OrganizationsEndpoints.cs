using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Server.Http;
using Atrium.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>The resources of organizations.</summary>
public static class OrganizationsEndpoints
{
    private const string Organizations = "/organizations";

    public static void MapOrganizations(this RouteGroupBuilder api)
    {
        api.MapGet(Organizations, ListAsync).Needs(ApiScopes.OrganizationsRead);
        api.MapPost(Organizations, CreateAsync).Needs(ApiScopes.OrganizationsWrite);
        api.MapGet($"{Organizations}/external_id/{{externalId}}", GetByExternalIdAsync).Needs(ApiScopes.OrganizationsRead);
        api.MapGet($"{Organizations}/{{id}}", GetAsync).Needs(ApiScopes.OrganizationsRead);
        api.MapPut($"{Organizations}/{{id}}", UpdateAsync).Needs(ApiScopes.OrganizationsWrite);
        api.MapDelete($"{Organizations}/{{id}}", DeleteAsync).Needs(ApiScopes.OrganizationsWrite);
    }

    private static async Task<Results<JsonAnswer<ListJson<OrganizationJson>>, AuthKitError>> ListAsync(
        HttpContext context, OrganizationStore organizations, OrganizationDomainStore domainStore, CancellationToken cancellationToken)
    {
        if (!ListQuery<Organization>.TryRead(context.Request, out ListQuery<Organization>? query, out AuthKitError? error))
            return error;
        Id<Realm> realm = context.Caller().Realm;
        IReadOnlyList<string> asked = QueryArrays.Read(context.Request, "domains");
        string[] domains = [.. asked.Select(DomainName.Normalize).OfType<string>().Distinct(StringComparer.Ordinal)];

        // What is no domain belongs to nobody.
        Page<Organization> page = asked.Count > 0 && domains.Length == 0
            ? new([], HasBefore: false, HasAfter: false)
            : await organizations.ListAsync(
                realm, new OrganizationFilter { Search = ResourceFields.QueryText(context, "search"), Domains = domains }, query.Page, cancellationToken);
        ILookup<Id<Organization>, OrganizationDomain> theirs =
            await domainStore.OfAsync(realm, [.. page.Items.Select(static organization => organization.Id)], cancellationToken);
        return new JsonAnswer<ListJson<OrganizationJson>>(
            query.ToJson(page, static organization => organization.Id, organization => OrganizationJson.From(organization, theirs[organization.Id])),
            AuthKitJson.Default.ListJsonOrganizationJson);
    }

    private static async Task<Results<JsonAnswer<OrganizationJson>, AuthKitError>> CreateAsync(
        HttpContext context, OrganizationStore organizations, OrganizationDomainStore domainStore, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? error, out Fields? fields))
            return error;
        OrganizationFields read = OrganizationFields.Read(fields, nameRequired: true);
        if (fields.Error is { } invalid)
            return invalid;

        DateTimeOffset now = clock.GetUtcNow();
        Organization empty = new()
        {
            RealmId = context.Caller().Realm,
            Id = Id<Organization>.New(clock),
            Handle = "",
            Name = "",
            Status = OrganizationStatus.Active,
            CreatedAt = now,
            UpdatedAt = now,
        };
        if (read.ApplyTo(empty, [], clock) is not { } made)
            return ResourceFields.InvalidMetadata;
        MadeOrganization created = await organizations.CreateAsync(
            made.Organization,
            Handles.Candidates(made.Organization.Name, made.Organization.Id),
            made.Domains ?? [],
            context.Origin<MadeOrganization>(static result => result.Outcome == OrganizationWrite.Done
                ? Answer(result.Organization, result.Domains, StatusCodes.Status201Created)
                : ResourceFields.ExternalIdTaken),
            cancellationToken);
        return created.Outcome switch
        {
            OrganizationWrite.Done => Answer(created.Organization, created.Domains, StatusCodes.Status201Created),
            OrganizationWrite.ExternalIdTaken => ResourceFields.ExternalIdTaken,
            _ => await DomainTakenAsync(domainStore, created.Organization.RealmId, created.Organization.Id, read.Domains, cancellationToken),
        };
    }

    private static async Task<Results<JsonAnswer<OrganizationJson>, AuthKitError>> GetByExternalIdAsync(
        HttpContext context, OrganizationStore organizations, OrganizationDomainStore domainStore, CancellationToken cancellationToken) =>
        await organizations.FindByExternalIdAsync(context.Caller().Realm, ResourceFields.ExternalIdInPath(context), cancellationToken) is { } organization
            ? await AnswerAsync(domainStore, organization, cancellationToken)
            : AuthKitError.NotFound;

    private static async Task<Results<JsonAnswer<OrganizationJson>, AuthKitError>> GetAsync(
        HttpContext context, string id, OrganizationStore organizations, OrganizationDomainStore domainStore, CancellationToken cancellationToken) =>
        Id<Organization>.Parse(id) is { } known && await organizations.FindAsync(context.Caller().Realm, known, cancellationToken) is { } organization
            ? await AnswerAsync(domainStore, organization, cancellationToken)
            : AuthKitError.NotFound;

    private static async Task<Results<JsonAnswer<OrganizationJson>, AuthKitError>> UpdateAsync(
        HttpContext context, string id, OrganizationStore organizations, OrganizationDomainStore domainStore, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? error, out Fields? fields))
            return error;
        Id<Realm> realm = context.Caller().Realm;
        if (Id<Organization>.Parse(id) is not { } known || await organizations.FindAsync(realm, known, cancellationToken) is null)
            return AuthKitError.NotFound;
        OrganizationFields read = OrganizationFields.Read(fields, nameRequired: false);
        if (fields.Error is { } invalid)
            return invalid;

        (OrganizationWrite outcome, OrganizationChange? change) = await organizations.ChangeAsync(
            realm, known, (organization, domains) => read.ApplyTo(organization, domains, clock), context.Origin(), cancellationToken);
        return outcome switch
        {
            OrganizationWrite.Done => Answer(change!.Organization, change.Domains ?? []),
            OrganizationWrite.NotFound => AuthKitError.NotFound,
            OrganizationWrite.Refused => ResourceFields.InvalidMetadata,
            OrganizationWrite.ExternalIdTaken => ResourceFields.ExternalIdTaken,
            _ => await DomainTakenAsync(domainStore, realm, known, read.Domains, cancellationToken),
        };
    }

    /// <summary>202 without a body: a text such as "Accepted" makes the PHP SDK throw.</summary>
    private static async Task<Results<StatusCodeHttpResult, AuthKitError>> DeleteAsync(
        HttpContext context, string id, OrganizationStore organizations, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (Id<Organization>.Parse(id) is not { } known)
            return AuthKitError.NotFound;
        OrganizationWrite outcome = await organizations.DeleteAsync(
            context.Caller().Realm, known, static _ => true, clock.GetUtcNow(), context.Origin(), cancellationToken);
        return outcome switch
        {
            OrganizationWrite.Done => TypedResults.StatusCode(StatusCodes.Status202Accepted),
            OrganizationWrite.HasChildren => HasChildren,
            _ => AuthKitError.NotFound,
        };
    }

    /// <summary>This door knows nothing of parents; the management API makes them.</summary>
    private static readonly AuthKitError HasChildren =
        AuthKitError.MessageOnly("Other organizations belong to this one. Delete them, or move them elsewhere, first.", StatusCodes.Status409Conflict);

    private static async Task<AuthKitError> DomainTakenAsync(
        OrganizationDomainStore domainStore, Id<Realm> realm, Id<Organization> id, IReadOnlyList<string> domains, CancellationToken cancellationToken)
    {
        // It may have become free again meanwhile; the answer stays what it was.
        string taken = await domainStore.FindTakenAsync(realm, id, domains, cancellationToken) ?? string.Join(", ", domains);
        return AuthKitError.MessageOnly($"An Organization with the domain {taken} already exists.", StatusCodes.Status409Conflict);
    }

    private static async Task<JsonAnswer<OrganizationJson>> AnswerAsync(
        OrganizationDomainStore domainStore, Organization organization, CancellationToken cancellationToken) =>
        Answer(organization, (await domainStore.OfAsync(organization.RealmId, [organization.Id], cancellationToken))[organization.Id]);

    private static JsonAnswer<OrganizationJson> Answer(
        Organization organization, IEnumerable<OrganizationDomain> domains, int status = StatusCodes.Status200OK) =>
        new(OrganizationJson.From(organization, domains), AuthKitJson.Default.OrganizationJson, status);
}
